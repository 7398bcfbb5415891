"""The store in a folder, a file for each instance, to be looked at and copied: ``store`` is what others use, ``folder`` does
its work, ``records`` says what a file looks like.
"""
