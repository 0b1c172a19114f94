"""What survival is tried by: troubles, readers beside the writers, and stores compared by their content."""


def require(condition: object, told: str) -> None:
    """Say what is not as it must be.

    Raises
    ------
    AssertionError
        The condition does not hold.
    """
    if not condition:
        raise AssertionError(told)
