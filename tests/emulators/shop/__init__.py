"""The invented shop behind the emulators: its people, channels, talks and orders, the same for the same seed.

Everything in it is made up: names are put together from common first and last names, phones come from ranges that are
handed out to nobody, texts are written for this project.
"""

from tests.emulators.shop.model import Shop

__all__ = ["Shop"]
