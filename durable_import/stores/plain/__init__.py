"""What the stores without SQL share: ``row`` is one instance as they keep it, ``rows`` the lives of instances over rows that are
found and kept one by one, ``store`` what others ask for. Memory and disk say where rows are.
"""
