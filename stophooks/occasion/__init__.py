"""What an event is about, what of it a command is told, and which commands it has."""

from stophooks.occasion.base import Fire, Occasion, Prior, Step, Subject

__all__ = ["Fire", "Occasion", "Prior", "Step", "Subject"]
