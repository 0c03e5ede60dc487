"""How the picture is held while it is optimised."""
