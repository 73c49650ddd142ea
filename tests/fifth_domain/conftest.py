"""This tree is laid over a copy of the checkout by ``test_fifth_domain``; its tests run there."""

collect_ignore = ["tests"]
