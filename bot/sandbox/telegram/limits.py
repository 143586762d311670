"""Every bound of the local Telegram, by name. The first group is Telegram's own."""

from typing import Final

TEXT_UNITS_MAX: Final = 4096
"""UTF-16 units of a message after parsing."""
CAPTION_UNITS_MAX: Final = 1024
CALLBACK_DATA_BYTES_MAX: Final = 64
BUTTONS_MAX: Final = 100
ALERT_UNITS_MAX: Final = 200
"""Text of a callback answer."""
COMMANDS_MAX: Final = 100
COMMAND_DESCRIPTION_UNITS_MAX: Final = 256
PHOTO_BYTES_MAX: Final = 10 * 1024 * 1024
MEDIA_GROUP_MIN: Final = 2
MEDIA_GROUP_MAX: Final = 10
UPDATES_PER_POLL_MAX: Final = 100
POLL_TIMEOUT_S_MAX: Final = 50
DELETE_MANY_MAX: Final = 100
DELETE_AGE_S_MAX: Final = 48 * 3600
"""A message of this age can be deleted no more, but by a group's administrator."""
QUERY_LIFE_S: Final = 900
"""How long a tap may wait for its answer."""
EPHEMERAL_ANSWER_S: Final = 15
"""How long after a press a bot may answer the presser alone by naming it."""
TYPING_LIFE_S: Final = 5
TOPIC_NAME_UNITS_MAX: Final = 128
ENTITIES_MAX: Final = 100
"""Further entities of a message are dropped, silently, as Telegram does."""

FLOOD_PRIVATE_BURST: Final = 3
FLOOD_PRIVATE_PER_S: Final = 1.0
FLOOD_GROUP_MAX: Final = 20
FLOOD_GROUP_WINDOW_S: Final = 60.0
FLOOD_OVERALL_MAX: Final = 30
FLOOD_OVERALL_WINDOW_S: Final = 1.0

# What this server keeps, so that a world left running does not grow without end.
OUTBOX_MAX: Final = 10_000
OUTBOX_READ_MAX: Final = 2_000
"""The most calls one `/sim/outbox` answers; the newest of those asked for."""
OUTBOX_VALUE_CHARS_MAX: Final = 8_192
"""A longer parameter is cut in the outbox (it was not in the call)."""
MESSAGES_PER_CHAT_MAX: Final = 1_000
EPHEMERALS_PER_PERSON_MAX: Final = 50
"""Messages one person sees alone in one chat."""
UPDATES_PENDING_MAX: Final = 1_000
QUERIES_MAX: Final = 500
FILES_MAX: Final = 200
TOASTS_PER_CHAT_MAX: Final = 20
PEOPLE_MAX: Final = 200
GROUPS_MAX: Final = 20
GROUP_TITLE_UNITS_MAX: Final = 128
TOPICS_PER_CHAT_MAX: Final = 100
FAULTS_MAX: Final = 100
FAULT_TIMES_MAX: Final = 10_000
SIM_BODY_BYTES_MAX: Final = 64 * 1024
SIM_TEXT_UNITS_MAX: Final = TEXT_UNITS_MAX
WAIT_S_MAX: Final = 30.0
"""The longest a `/sim/callback` waits for the bot's answer."""
