"""What a server offers: the ``Tool`` protocol, a tool for each endpoint, search, ``confirm_change``, the selection."""
