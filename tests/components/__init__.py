"""Components on mocks."""
