"""What a service answers when it will not do as asked."""

from typing import Any


class Refused(Exception):
    """The request was understood and is refused; nothing was changed.

    `code` is one word of `bot.views.refusals`, which turns it and `facts` into a sentence. Codes:
    not_yours (login, asked, incident), not_admin, not_found (login, asked, incident),
    unknown_symbol, wrong_side_stop, bad_volume, signal_expired, already_decided (decision, at),
    account_latched (reason, since), account_closing, account_unavailable (reason, since),
    account_not_armed (why),
    below_minimum (equity, minimum, currency), no_price (symbol),
    stale_button (state, by, at), nothing_to_release,
    release_already_asked (at), release_not_asked, not_flat (positions, orders),
    cannot_close (obstacles), no_such_symbol (symbol), ambiguous_symbol (symbol, names),
    symbol_not_tradable (symbol), not_blocked (login), newer_block (login, since),
    still_unreadable (login, reason, since), not_read_since (login, since), list_expired (at),
    question_answered (state, signal, by, at), question_changed, same_position (position),
    not_adopted (why), not_disowned (why), no_question (position), no_signal (signal),
    same_login (login), no_account, in_the_future (day), before_all (day),
    too_many_tokens (limit), bad_label (limit), no_such_token, bad_signature, not_fresh (seconds),
    replayed, key_used (signal),
    market_warning (symbol, kind, figure, limit), reason_missing, reason_long (most), not_offered,
    rule_paused (rule, until), paused (until, by, reason), bad_span, not_paused, no_offer (signal),
    audit_long (most),
    already_known, requests_full,
    request_answered (state, by, at), listed_in_file (name, role), code_wrong, code_used,
    code_expired (at), too_many_codes, person_blocked, not_yourself, owners_only,
    not_pending (name, role), blocked_already (name, role), not_blocked_person (name, role),
    last_admin, confirmed_already (state), confirm_expired (limit),
    settings_changed, always_on (group), unknown_zone (zone, near),
    link_clients_only, no_link, too_many_links, links_full,
    stale_link, link_answered (state, by, at), link_known (login, owner), own_link,
    link_gone (name), no_terminal_left, no_password_asked (login), passwords_tried (login),
    no_alarm, alarm_taken (by, at), alarm_over (at).
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts
