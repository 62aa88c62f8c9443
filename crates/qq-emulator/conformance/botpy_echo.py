#!/usr/bin/env python3
"""An echo bot on qq-botpy 1.2.1, pointed at the emulator.

Usage: botpy_echo.py BASE_URL APP_ID SECRET

Prints "ready <name>" once the gateway has said READY, answers every message of the four scenes
with "echo: <text>", makes a few REST round trips first, and runs until it is killed. qq-botpy itself is untouched: only the hosts that
it hard-codes are replaced.
"""

import logging
import sys
from urllib.parse import urlsplit

import aiohttp
import botpy

from botpy.http import Route

TOKEN_URL = "https://bots.qq.com/app/getAppAccessToken"


def point_at(base_url):
    """Sends the REST calls and the token request to base_url."""
    parts = urlsplit(base_url)
    Route.SCHEME = parts.scheme
    Route.DOMAIN = parts.netloc
    Route.SANDBOX_DOMAIN = parts.netloc
    post = aiohttp.ClientSession.post

    def post_here(self, url, **kwargs):
        if url == TOKEN_URL:
            url = f"{base_url}/app/getAppAccessToken"
        return post(self, url, **kwargs)

    aiohttp.ClientSession.post = post_here


class EchoBot(botpy.Client):
    async def on_ready(self):
        print(f"ready {self.robot.name}", flush=True)
        await self.round_trips()
        print("round trips done", flush=True)

    async def round_trips(self):
        """Reads and changes the world; raises where an answer is not what was changed."""
        guild = (await self.api.me_guilds())[0]["id"]
        if not await self.api.get_channels(guild):
            raise RuntimeError("no channels")
        await self.api.create_guild_role(guild, name="stranger", color=255, hoist=1)
        roles = (await self.api.get_guild_roles(guild))["roles"]
        if not any(role["name"] == "stranger" for role in roles):
            raise RuntimeError("the role is not listed")

    async def on_group_at_message_create(self, message):
        await self.echo("group", message, message.author.member_openid)

    async def on_c2c_message_create(self, message):
        await self.echo("c2c", message, message.author.user_openid)

    async def on_at_message_create(self, message):
        await self.echo("channel", message, message.author.id)

    async def on_direct_message_create(self, message):
        await self.echo("direct", message, message.author.id)

    async def echo(self, scene, message, author):
        answer = await message.reply(content=f"echo: {message.content.strip()}")
        print(f"answered {scene} {author} {answer['id']}", flush=True)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    base_url, app_id, secret = sys.argv[1:]
    point_at(base_url.rstrip("/"))
    intents = botpy.Intents.none()
    intents.public_messages = True
    intents.public_guild_messages = True
    intents.direct_message = True
    # Files of qq-botpy's own log would land in the current folder.
    client = EchoBot(intents=intents, ext_handlers=False, log_level=logging.WARNING)
    client.run(appid=app_id, secret=secret)


if __name__ == "__main__":
    main()
