"""What makes the local cloud live: real servers, real names, real traffic, and faults in any of them.

The gateway's process owns it all. Servers are processes of the keeper, a child of the gateway that outlives it by
seconds.
"""
