"""What users see: whole programs, real processes, exit statuses and messages."""
