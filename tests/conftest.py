"""What every test shares: nothing but a guard against settings of the developer's own shell."""
