"""Domain value to text, purely: escaping, units, rounding and time zone live only here."""
