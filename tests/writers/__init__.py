"""Files in public formats that tests write, and ways to damage them."""
