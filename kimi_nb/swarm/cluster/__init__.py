"""Sub-agents on the workers of a Dask cluster.

    kernel                        Dask scheduler               worker process
    place   a task for each   ->  finds it a worker, and   ->  crew    sub-agents of all runs
    seat    of one sub-agent      another if that dies         stay    those of one run

    post    messages         <->  switchboard              <-> post    messages
    books   log and budget        mailbox, one a party         remote  asks for both
    store   the user's folder     limits: who may call         supply  has a copy of it
    gate    asks limits                                        gate    asks limits

1. `place` makes a seat and a task for a sub-agent. In the task are ids: no prompt, no key.
2. `crew` asks the kernel once a run for its `baggage`: model, tools, settings. A key comes beside
   it where the way is `private`. Of that it makes a stay.
3. `stay` says that a life of the sub-agent begins. `books` answer with the life's number, the
   assignment, what earlier lives have paid for, and a list of files. Only that life counts now.
4. The sub-agent runs as in a kernel, on an engine whose log, account, limiter and tools send on
   what happens, in order: facts, reservations, images, files that have changed.
5. Its end is a message too. If the task ends without one, its worker could not go on.

A `post` has an `outbox` for each addressee, `questions` that wait for answers, and a `line` to the
scheduler. The line is used on Dask's event loop, all else is on kimi_nb's.

Of files: a `folder` (the kernel's) and `copies` (the workers') are compared by `manifest`; a `tree`
makes one, and hashes only what is new. Contents go by digest into a `cache`. Whatever is opened or
written is `inside` the folder.
"""

from kimi_nb.swarm.cluster.place import ClusterPlace, join

__all__ = ["ClusterPlace", "join"]
