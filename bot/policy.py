"""Settings to the engine's policy: units and names meet here, once."""

from core.config import Settings
from core.domain.cadence import Cadence
from core.domain.close_turn import CloseFirst
from core.domain.closing import ClosePolicy
from core.domain.limits import GuardLimits
from core.domain.quotes import Action, MarketPolicy
from core.domain.reappearing import Reappeared
from core.domain.reconciliation import Policy
from core.rule_files import profiles
from core.services.policy import EnginePolicy


def policy_from(settings: Settings) -> EnginePolicy:
    """The policy these settings mean. Raises ValueError without an admin chat.

    Raises RuleFileError where the rule profiles cannot be used.
    """
    if settings.admin_chat_id is None:
        raise ValueError("ADMIN_CHAT_ID is not set")
    return EnginePolicy(
        reconciliation=Policy(
            slippage_pips_max=settings.max_slippage_pips,
            missing_observations_min=settings.missing_observations_min,
            pip_by_symbol=settings.pip_by_symbol,
        ),
        closing=_closing(settings),
        market=MarketPolicy(
            gap_percent=settings.price_gap_alert_percent,
            spread_pips=settings.liquidity_spread_threshold_pips,
            spread_pips_by_symbol=settings.spread_threshold_pips_by_symbol,
            pip_by_symbol=settings.pip_by_symbol,
            grace_s=settings.market_warning_grace_s,
            hold_s=settings.market_hold_s,
            gap_multiple=settings.price_gap_typical_multiple,
            spread_multiple=settings.spread_typical_multiple,
            quote_age_s=settings.quote_age_alert_s,
            gap_action=Action(settings.market_gap_action),
            spread_action=Action(settings.market_spread_action),
            unusual_action=Action(settings.market_unusual_action),
            still_action=Action(settings.market_still_action),
            settle_s=settings.market_settle_s,
            close_spread_wait_s=settings.market_close_spread_wait_s,
            mute=settings.market_mute_window,
        ),
        cadence=Cadence(
            idle_s=settings.reconciliation_sync_interval_s,
            open_s=settings.sync_interval_open_s,
            fast_s=settings.sync_interval_fast_s,
        ),
        limits=GuardLimits(
            max_drawdown_percent=settings.max_drawdown_percent,
            warn_drawdown_percent=settings.warn_drawdown_percent,
            min_equity_gbp=settings.min_equity_gbp,
        ),
        countdown_s=settings.drawdown_countdown_s,
        explanation_wait_s=settings.balance_explanation_wait_s,
        snapshot_row_interval_s=settings.snapshot_row_interval_s,
        signal_expires_s=settings.signal_expires_s,
        trade_deadline_s=settings.trade_deadline_s,
        manual_sync_interval_s=settings.manual_sync_interval_s,
        magic_base=settings.magic_base,
        admin_chat_id=settings.admin_chat_id,
        digest_hour=settings.digest_hour,
        alarm_repeat_s=settings.alarm_repeat_s,
        drill=settings.drill_schedule,
        guided_linking=settings.guided_linking,
        reappeared=Reappeared(settings.latched_reappeared),
        profiles=profiles(settings.rules_dir),
    )


def _closing(settings: Settings) -> ClosePolicy:
    return ClosePolicy(
        quiet_period_s=settings.close_quiet_period_s,
        deviation_points=settings.close_deviation_points,
        deviation_step_points=settings.close_deviation_step_points,
        deviation_max_points=settings.close_deviation_max_points,
        first=CloseFirst(settings.close_first),
    )
