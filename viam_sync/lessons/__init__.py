"""The lessons: scripts of one idea each, with an exercise that checks itself; ``viam-sync lessons`` lists them.

A script of a lesson imports from here:

    lesson_client      the client that it talks through: of the real cloud, or of a sandbox of its own
    practice_part      a machine of your own to try things on, which is removed at the end
    practice_picture   the contents of a small picture to upload
    own_name           a name that nothing else has
    exercise           the block for your lines, which are checked with ``--check``
"""

from viam_sync.lessons.checking import exercise
from viam_sync.lessons.practice import lesson_client, own_name, practice_part, practice_picture

__all__ = ["exercise", "lesson_client", "own_name", "practice_part", "practice_picture"]
