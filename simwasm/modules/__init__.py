"""Where a plugin's module lives, and how it is brought here: files, images and their registries, web addresses."""
