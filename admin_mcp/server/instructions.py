"""What a client is told about this server as a whole. Text only."""

INSTRUCTIONS = """\
Administers one OpenAI organization through its Admin API.
For questions about access, keys, spend, activity or settings one call is enough: the review_ and report_ tools. \
Get ids from find, or from the list and get tools; never guess one. Organization and project roles are different things.
Reading is free. Every tool that changes something asks a person before anything is sent, and the person sees exactly \
the request: say beforehand what you are about to do and why. For several changes make a plan (a plan_ tool for a \
common errand, otherwise plan_changes), show it to the user, and call apply_plan: one approval covers all of it.
After approval_pending pass the hint on to the user; once they have decided, repeat the call with the same arguments. \
After approval_denied or policy_denied stop and tell the user. After outcome_unknown do the read that the hint names \
before anything else. Every error has a hint that says what to do next.
Times are unix seconds, amounts of money US cents unless a tool says otherwise. Lists come in pages: \
fetch_all merges them, up to max_items (1,000 unless given). The next page's cursor is the answer's `next`, \
`next_page` or `last_id`, and goes into `after` or `page`; `before` takes `first_id`. If an answer has `paging`, that \
says whether it is the whole list and how to go on.
"""

SEARCH_INSTRUCTIONS = """\
The tools listed are a way to many more. search_tools finds them, describe_tools shows their arguments, call_read and \
call_change call them by name.
"""
