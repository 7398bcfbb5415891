"""What a checkpoint cannot have in it as it is: what is known of libraries' objects, and what is opened again on resume.

``table`` and ``kinds`` say what an object is: reopenable, saved, or something that holds. Of reopenable ones ``noting`` notes the
calls that make and open them, in ``notes``, by functions that get other code in place (``wrapping``). ``opening`` makes these
calls again while a snapshot is read, and leaves what is open when an instance is suspended.

Rejected: to set wrappers as attributes of modules and classes. Who has imported a function before would have the old one.
"""
