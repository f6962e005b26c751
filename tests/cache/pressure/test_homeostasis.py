"""The controller: properties of the ladder, and the seed's faults that must not come back."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.pressure.homeostasis import (
    LADDER,
    TARGET_RATIO,
    Action,
    ControllerState,
    HomeostasisController,
    decide,
    target_of,
)
from penstock.cache.pressure.levels import PressureLevel, leave_ratio, level_of
from penstock.cache.pressure.limits import MB, plan_rss_limit
from penstock.cache.pressure.reading import Driver, PressureReading

LIMIT = plan_rss_limit(100 * MB, 4096 * MB)


def reading_at(p: float, *, ledger: float = 0.0, rss: float = 0.0) -> PressureReading:
    """Return a reading of a 256 MB ledger and 512 MB of allowed growth."""
    return PressureReading(
        p=p,
        driver=Driver.LEDGER,
        ledger_bytes=round(ledger * 256 * MB),
        budget_bytes=256 * MB,
        rss_bytes=100 * MB + round(rss * 512 * MB),
        retained_bytes=0,
        limit=LIMIT,
    )


ratios = st.floats(0.0, 1.5)
states = st.integers(0, 50).map(ControllerState)
levels = st.sampled_from(list(PressureLevel))


@st.composite
def readings(draw: st.DrawFn) -> PressureReading:
    ledger, rss, alarm = draw(st.floats(0.0, 1.0)), draw(ratios), draw(st.sampled_from([0.0, 0.95]))
    return reading_at(max(ledger, rss, alarm), ledger=ledger, rss=rss)


@given(states, ratios, ratios)
def test_the_action_is_monotone_in_p(state: ControllerState, one: float, two: float) -> None:
    low, high = sorted((one, two))
    gentle = decide(state, PressureLevel.NORMAL, reading_at(low)).action
    assert gentle <= decide(state, PressureLevel.NORMAL, reading_at(high)).action


@given(states, levels, levels, readings())
def test_the_action_is_monotone_in_the_level(
    state: ControllerState, one: PressureLevel, two: PressureLevel, reading: PressureReading
) -> None:
    low, high = sorted((one, two))
    assert decide(state, low, reading).action <= decide(state, high, reading).action


@given(states, readings())
def test_critical_is_never_left_without_action(state: ControllerState, reading: PressureReading) -> None:
    assert decide(state, PressureLevel.CRITICAL, reading).action is Action.EMERGENCY_DROP
    if reading.level is PressureLevel.CRITICAL:
        assert decide(state, PressureLevel.NORMAL, reading).action is Action.EMERGENCY_DROP


@given(states, st.floats(0.0, 0.6999))
def test_nothing_is_done_below_soft(state: ControllerState, p: float) -> None:
    assert decide(state, PressureLevel.NORMAL, reading_at(p, ledger=p)).action is Action.NONE


@given(st.sampled_from([PressureLevel.SOFT, PressureLevel.MEDIUM, PressureLevel.HARD]), readings())
def test_the_third_ineffective_round_in_a_row_is_a_stronger_one(level: PressureLevel, reading: PressureReading) -> None:
    if reading.level > level:
        reading = replace(reading, p=0.0)
    controller = HomeostasisController()
    first = controller.evaluate(level, reading)
    controller.report(helped=False)
    controller.evaluate(level, reading)
    controller.report(helped=False)
    third = controller.evaluate(level, reading)
    assert third.action > first.action
    assert third.is_escalated
    assert not first.is_escalated


@given(states, st.sampled_from(list(PressureLevel)), readings())
def test_escalation_stays_within_the_levels_rungs(state: ControllerState, level: PressureLevel, reading: PressureReading) -> None:
    decision = decide(state, level, reading)
    rungs = LADDER[max(level, reading.level)]
    assert rungs.floor <= decision.action <= rungs.ceiling


@given(st.integers(0, 9))
def test_recovery_and_success_forget_what_did_not_help(rounds: int) -> None:
    for forget in (
        lambda c: c.recover(),  # pyright: ignore[reportUnknownLambdaType]
        lambda c: c.report(helped=True),  # pyright: ignore[reportUnknownLambdaType]
        lambda c: c.evaluate(PressureLevel.NORMAL, reading_at(0.1)),  # pyright: ignore[reportUnknownLambdaType]
    ):
        controller = HomeostasisController()
        for _ in range(rounds):
            controller.report(helped=False)
        forget(controller)
        assert controller.statistics() == ControllerState()
        assert controller.evaluate(PressureLevel.SOFT, reading_at(0.7)).action is Action.TRIM_OUTPUTS


@given(readings())
def test_a_met_target_is_below_every_leave_mark(reading: PressureReading) -> None:
    """The seed ignored its targets; here a round that meets its target ends the pressure it answered."""
    target = target_of(reading)
    assert 0 <= target <= TARGET_RATIO * reading.budget_bytes
    assert target / reading.budget_bytes < leave_ratio(PressureLevel.SOFT)
    freed = max(0, reading.ledger_bytes - target)
    after = replace(reading, rss_bytes=reading.rss_bytes - freed)
    # If RSS fell by what the ledger freed, it is below the mark too, or the ledger has nothing left to give.
    assert target == 0 or after.rss_ratio <= TARGET_RATIO + 1e-6


@given(states, levels, readings())
def test_the_decision_carries_the_target_and_an_emergency_leaves_nothing(
    state: ControllerState, level: PressureLevel, reading: PressureReading
) -> None:
    decision = decide(state, level, reading)
    wanted = 0 if decision.action is Action.EMERGENCY_DROP else target_of(reading)
    assert decision.target_bytes == wanted


@given(ratios, ratios)
def test_the_target_falls_as_rss_rises(one: float, two: float) -> None:
    low, high = sorted((one, two))
    assert target_of(reading_at(0, ledger=0.5, rss=high)) <= target_of(reading_at(0, ledger=0.5, rss=low))


def test_critical_rss_with_a_small_ledger_acts() -> None:
    """Fault of the seed: the token count alone chose the action, so a small cache meant none."""
    reading = reading_at(0.97, ledger=0.01, rss=0.97)
    assert decide(ControllerState(), level_of(0.97), reading).action is Action.EMERGENCY_DROP
    hard = reading_at(0.92, ledger=0.01, rss=0.92)
    assert decide(ControllerState(), PressureLevel.HARD, hard).action is Action.UNLOAD_INDICES


def test_each_level_begins_with_its_own_action() -> None:
    actions = [HomeostasisController().evaluate(level, reading_at(0.0)).action for level in PressureLevel]
    assert actions == [
        Action.NONE,
        Action.TRIM_OUTPUTS,
        Action.EVICT_PROBATIONARY,
        Action.UNLOAD_INDICES,
        Action.EMERGENCY_DROP,
    ]


def test_the_controller_shows_its_state() -> None:
    controller = HomeostasisController()
    controller.report(helped=False)
    assert repr(controller) == "<HomeostasisController ineffective=1>"
