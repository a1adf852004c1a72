"""What the whole-system tests share: private servers, the daemons, load and judgement.

No test uses a server that it did not start, and everything that is started here dies with
the test process, also when that is killed.
"""
