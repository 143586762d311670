"""What symbols are called: the codes of currencies, metals and coins, and the names of indices.

Currencies are ISO 4217 codes of what brokers quote, with CNH for offshore yuan. Index names are
those of the larger MetaTrader 5 brokers; a name is listed only where it means one thing.
"""

import re

from msgspec import Struct


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CURRENCIES = _words(
    "AED ARS AUD BGN BHD BRL CAD CHF CLP CNH CNY COP CZK DKK EGP EUR GBP GEL HKD HRK HUF IDR ILS "
    "INR ISK JOD JPY KES KRW KWD KZT MAD MXN MYR NGN NOK NZD OMR PEN PHP PLN QAR RON RUB SAR SEK "
    "SGD THB TRY TWD UAH USD VND ZAR"
)
METALS = {"XAU": "GOLD", "XAG": "SILVER", "XPT": "PLATINUM", "XPD": "PALLADIUM"}
"""Code and English name; the name alone means the metal in dollars."""
COINS = _words("ADA BCH BNB BTC DOGE DOT ETH LINK LTC SOL TRX UNI XLM XMR XRP")
CODES = CURRENCIES | METALS.keys() | COINS


class IndexNames(Struct, frozen=True, kw_only=True):
    """An index: the currencies it is settled in, and what brokers call it.

    `names` mean the index wherever they stand. `short` ones are also tickers of shares or roots of
    futures: in a broker's list they mean the index only where the list itself says "index".
    """

    settled_in: frozenset[str]
    names: tuple[str, ...]
    short: tuple[str, ...] = ()


def _index(settled_in: str, names: str, short: str = "") -> IndexNames:
    return IndexNames(
        settled_in=_words(settled_in),
        names=tuple(sorted(names.split(), key=lambda name: (-len(name), name))),
        short=tuple(sorted(short.split(), key=lambda name: (-len(name), name))),
    )


INDICES: dict[str, IndexNames] = {
    "US30": _index(
        "USD", "US30 USA30 DJ30 DJI30 DJIA30 DOW30 WS30 WALLSTREET30 WALLSTREET", "DJI DJIA DOW YM"
    ),
    "US500": _index("USD", "US500 USA500 SPX500 SP500 SPA500", "SPX INX ES"),
    "NAS100": _index(
        "USD", "NAS100 NASDAQ100 NDX100 US100 USA100 UT100 USTEC USTECH USTECH100 USATECH", "NDX NQ"
    ),
    "US2000": _index("USD", "US2000 USA2000 RUSSELL2000 RUSS2000 RUS2000", "RUT RTY"),
    "GER40": _index(
        "EUR USD", "GER40 GERMANY40 DE40 DAX40 GER30 GERMANY30 DE30 DAX30", "DAX GDAXI"
    ),
    "UK100": _index("GBP USD", "UK100 GB100 GBR100 FTSE100", "FTSE UKX"),
    "FRA40": _index("EUR USD", "FRA40 FR40 FRANCE40 CAC40", "CAC FCHI"),
    "EU50": _index(
        "EUR USD", "EU50 EUR50 EUSTX50 ESTX50 ESX50 STOXX50 EUROSTOXX50 EUSTOXX50", "SX5E"
    ),
    "ESP35": _index("EUR USD", "ESP35 ES35 SPA35 SPAIN35 IBEX35", "IBEX"),
    "ITA40": _index("EUR USD", "ITA40 IT40 ITALY40 MIB40", "MIB"),
    "NETH25": _index("EUR USD", "NETH25 NL25 NED25 NLD25 AEX25", "AEX"),
    "SUI20": _index("CHF USD", "SUI20 SWI20 CH20 SWISS20 SMI20", "SMI"),
    "JP225": _index(
        "JPY USD", "JP225 JPN225 JAP225 JAPAN225 NIK225 NIKKEI225 NI225 N225", "NIKKEI NKY"
    ),
    "AUS200": _index("AUD USD", "AUS200 AU200 ASX200 AUSTRALIA200", "ASX"),
    "HK50": _index("HKD USD", "HK50 HKG50 HKIND50 HONGKONG50 HSI50", "HSI"),
    "CHINA50": _index("CNH CNY USD", "CHINA50 CHINAA50 CHN50 CN50"),
    "USDX": _index("USD", "USDX USDIDX USDINDEX DOLLARINDEX USDOLLAR", "DXY DX"),
}
"""Index by the name that Reckoner's settings use, as in PIP_BY_SYMBOL."""

DERIVED = _words(
    "BASKET BOND BONDS CALL CUSTOM ETF EXP EXPIRED FORWARD FUT FUTURE FUTURES FWD HEDGED IDX INDEX "
    "INDX INV INVERSE LEV LONG OLD OPT OPTION OPTIONS PERP PUT SHORT SYN SYNTH SYNTHETIC TEST VIX "
    "VOL Y YIELD YR"
)
"""Words after a name that make it another thing: `EURUSD_index`, `GOLD.call`, `US30Y` (a bond)."""
FUTURE_WORDS = frozenset({"F", "FT", "FTS"})
"""The same after an index or a metal; after a currency pair brokers use `f` as a plain suffix."""
EXPIRY = re.compile(r"(?:[FGHJKMNQUVXZ]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)-?\d{1,4}$")
"""A delivery month: `Z5`, `H26`, `DEC25`, `MAR-2026`."""
OTHER_FOLDER = re.compile(
    r"stock|share|equit|etf|option|future|bond|fund|expired|archive|custom|synthetic", re.IGNORECASE
)
"""Folders of the broker's tree that hold no spot instrument."""
INDEX_FOLDER = re.compile(r"\bind(?:ex|ic)|indic", re.IGNORECASE)
METAL_FOLDER = re.compile(r"metal|bullion|gold|silver|commodit", re.IGNORECASE)
COIN_FOLDER = re.compile(r"crypto|coin|digital", re.IGNORECASE)
