"""From records to measurements, verdicts and bound numbers."""
