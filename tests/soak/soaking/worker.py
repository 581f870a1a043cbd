"""What goes on beside the clients, in a thread of its own, until it is told to stop."""

import threading


class Worker:
    """`work` is what it does, until `stopping` is set."""

    # For how many seconds the end of what is under way is waited for; None: for as long as it takes.
    patience = None

    def __init__(self):
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.work)

    def start(self):
        self.thread.start()

    def stop(self):
        self.stopping.set()
        self.thread.join(self.patience)

    def work(self):
        raise NotImplementedError
