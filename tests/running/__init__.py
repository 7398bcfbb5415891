"""Instances in an application: what DurableRuntime promises, in one process over every store of ours."""
