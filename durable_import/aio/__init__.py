"""Many tasks in one instance: the loop that an instance's tasks run on, the tasks, and asyncio's own code made durable.

Inside an instance ``asyncio`` means what it always means: while a task of the instance runs, its ``InstanceLoop`` is the
running loop, so ``create_task``, ``gather``, ``Lock``, ``timeout`` and all the rest put their futures, callbacks and timers
there, where they can be saved. The functions of the standard library that wait (``Queue.get``, ``sleep``, ...) are rewritten
like a marked module. While foreign code runs (a step), the loop of the process is the running one.

The loop is made in four parts, each on top of the one before: ``delegation`` (what is the process's), ``callbacks`` (what is
ready), ``timers``, ``loop`` (tasks, steps, and what rewritten code needs). ``task`` is a task, ``task_iterators`` what
awaiting one iterates over, ``awaited`` what a frame is about to await, ``executors`` a call in a thread or a process,
``step_key`` the key of a step: ``asking`` by the program, ``running_step`` by foreign code, ``foreign_calls`` what is known of
that, ``canonical`` and ``call_digest`` what calls are, as text. ``generators`` is what becomes of abandoned ones.
``standard`` makes asyncio's own functions durable; ``events`` and ``wait_again`` are waiting functions of ours, and
``worker_threads`` has one that stands in the place of anyio's.

Rejected designs:

- A module that stands for ``asyncio`` in rewritten modules: two classes of each primitive, ``isinstance`` and
  ``unittest.mock.patch("asyncio.sleep")`` would tell them apart, and slower imports of attributes.
- Native tasks and callbacks, found by walking the loop's private queues: loops written in C have none to walk.
- A native task for each step: ``current_task()`` would be another one, and cancel scopes complain.
"""
