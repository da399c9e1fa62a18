"""Publishers from the business file."""

from garbo.common.business import Business
from garbo.ingest.domain.publisher import Publisher


class BusinessPublishers:
    """`Publishers` from the clients of the business file."""

    def __init__(self, business: Business) -> None:
        self._take(business)

    async def take(self, business: Business) -> None:
        """Answer by another business file from now on."""
        self._take(business)

    def _take(self, business: Business) -> None:
        self._business = business
        self._body_values = business.body_values
        self._number_accounts = {number.id: number.waba for number in business.numbers}
        self._brand_accounts = business.brand_accounts

    def of_key(self, key: str) -> Publisher | None:
        """Find the client an API key belongs to, in constant time."""
        client = self._business.client_of_key(key)
        if client is None:
            return None
        brands = frozenset(client.brands)
        everything = brands >= {brand.id for brand in self._business.brands}
        return Publisher(
            id=client.id,
            brands=brands | {"*"} if everything else brands,
            purposes=frozenset(client.purposes),
            numbers=frozenset(n.id for n in self._business.numbers if n.brand in brands),
            body_values=self._body_values,
            may_publish="publish" in client.scopes,
            may_link="link" in client.scopes,
            brand_accounts=self._brand_accounts,
            number_accounts=self._number_accounts,
        )
