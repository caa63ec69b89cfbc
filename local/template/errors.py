"""The one error of the template interpreter."""


class TemplateError(Exception):
    """The template says something the local cloud does not understand, or that cannot be right.

    The message names stack, resource and property, and what would be right. Nothing is skipped in silence:
    what is wrong or missing must not be found out on AWS first.
    """
