"""A model behind an `AsyncOpenAI` of the user's own: Azure, a proxy, another transport."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from kimi_nb.errors import Allowed, ModelError, Unreachable
from kimi_nb.models.allowed import read_allowed
from kimi_nb.models.base import Conversation, Message, Reply, Request, Sink
from kimi_nb.models.endpoint import SIMULATOR, is_moonshot
from kimi_nb.models.exchange import charge
from kimi_nb.models.faults import fault, one_line, read_retry_after
from kimi_nb.models.history import about_images, call_namer, reworked
from kimi_nb.models.rules import Rules, fields_of, rules_for
from kimi_nb.models.stream import Assembler
from kimi_nb.redact import know

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream, OpenAIError
    from openai.types.chat import ChatCompletionChunk

__all__ = ["OpenAIModel"]


class OpenAIModel:
    """Calls through the user's client, which keeps its key, URL, transport and time limits.

    Slower than `ChatModel`: the client walks the whole history at every call. The client's own
    retries are off, because the engine's are in the log.
    """

    def __init__(
        self,
        model: str,
        client: AsyncOpenAI,
        *,
        thinking: str | None = None,
        rules: Iterable[Rules] = (),
    ) -> None:
        self.name = model
        self.simulated = model == SIMULATOR
        know(client.api_key)
        self._client = client.with_options(max_retries=0)
        self._moonshot = is_moonshot(str(client.base_url))
        self._rules = rules_for(model, rules, moonshot=self._moonshot)
        self._extra = fields_of(self._rules, model, thinking, moonshot=self._moonshot)

    async def reply(self, request: Request, sink: Sink) -> Reply:
        """The whole turn, after `sink` heard all of it. Raises `errors.ModelError`."""
        call_id = call_namer(self._rules, request.conversation)
        assembler = Assembler(sink, call_id, request.max_tokens)
        prompt_estimate = request.estimate_tokens()

        try:
            allowed = await self._stream(request, assembler)
        except ModelError as error:
            found = about_images(error, request.conversation, self.name)
            charge(found, assembler, prompt_estimate)
            raise found from None

        return assembler.finish(prompt_estimate, allowed)

    async def _stream(self, request: Request, assembler: Assembler) -> Allowed:
        """Feed the answer; returns what its headers say."""
        from openai import NotFoundError, OpenAIError

        try:
            async with await self._open(request) as stream:
                allowed = read_allowed(stream.response.headers)

                async for chunk in stream:
                    assembler.feed(chunk.model_dump(exclude_unset=True, warnings=False))

                    if assembler.full:
                        break
        except NotFoundError as error:
            found = convert(error)
            raise found.reworded(f"{found}; {await self._about_models()}") from None
        except OpenAIError as error:
            raise convert(error) from None
        except ValueError as error:  # the client does not wrap what is no JSON
            message = f"malformed data in the stream: {one_line(str(error))}"
            raise Unreachable(message) from None

        if not assembler.ended:
            message = f"{self._client.base_url}: the stream ended early"
            raise Unreachable(message)

        return allowed

    async def _about_models(self) -> str:
        from openai import OpenAIError

        try:
            listed = [model.id async for model in self._client.models.list()]
        except (OpenAIError, ValueError):
            return f"nor does {self._client.base_url} list its models: is the base URL right?"

        return f"{self._client.base_url.host} offers {one_line(', '.join(listed))}"

    async def close(self) -> None:
        """Leave the client open: it is the user's."""

    async def _open(self, request: Request) -> AsyncStream[ChatCompletionChunk]:
        create = cast("Any", self._client.chat.completions.create)

        try:
            return await create(**self._fields(request))
        finally:
            know(self._client.api_key)  # a client may fetch another one for each call

    def _fields(self, request: Request) -> dict[str, Any]:
        extra = dict(self._extra)

        if request.cache_key and self._moonshot:
            extra["prompt_cache_key"] = request.cache_key

        fields: dict[str, Any] = {
            "model": self.name,
            "messages": self._messages(request.conversation),
            "max_completion_tokens": request.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            "extra_body": extra,
        }

        if request.tools.specs:
            fields["tools"] = request.tools.specs

        return fields

    def _messages(self, conversation: Conversation) -> list[Message]:
        recalls = self._rules.recalls
        return reworked(conversation, self._rules, recalls=recalls) or conversation.messages


def convert(error: OpenAIError) -> ModelError:
    """What the client's exception means."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return fault(
            error.status_code,
            error.body or error.message,
            retry_after=read_retry_after(error.response.headers),
            allowed=read_allowed(error.response.headers),
        )

    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
        return fault(None, error.body or error.message)

    cause = f": {error.__cause__}" if error.__cause__ else ""
    return Unreachable(one_line(f"{error}{cause}"))
