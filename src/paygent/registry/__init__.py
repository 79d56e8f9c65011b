"""The paid services that the owner has listed, by name."""
