"""The shell that talks: aiogram lives here and nowhere else."""
