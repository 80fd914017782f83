"""What several tests of the transforms share."""


def cube(x):
    return x * x * x
