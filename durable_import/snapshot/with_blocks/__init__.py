"""Open ``with`` blocks: ``blocks`` finds them, ``lost`` replaces managers that cannot be saved, ``entering`` enters those."""
