"""The import hook: which modules are rewritten, when, where their code is cached, and code of modules that live already."""
