"""Messages labelled by people, and how well the lexicons agree with them. Not here: the tests that ask it."""
