NAME = "in a package"
