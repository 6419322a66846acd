"""Where a plugin's module lives, and how it is brought here: files, images in files and in registries, web addresses."""
