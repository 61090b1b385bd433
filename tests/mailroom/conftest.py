from __future__ import annotations

from tests.support.smtp import certificates, faulty, make_faulty

__all__ = ["certificates", "faulty", "make_faulty"]
