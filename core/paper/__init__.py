"""From a bound draft to the files people read."""
