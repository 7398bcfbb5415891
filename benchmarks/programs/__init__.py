"""What ``benchmarks.rewritten`` and ``benchmarks.importing`` measure: the same text is loaded as it is and rewritten."""
