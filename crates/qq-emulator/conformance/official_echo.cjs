#!/usr/bin/env node
/*
 * An echo bot on qq-official-bot 1.0.13, pointed at the emulator.
 *
 * Usage: node official_echo.cjs BASE_URL APP_ID SECRET
 *
 * Prints "ready <name>" once the gateway has said READY, answers every message of the four scenes
 * with "echo: <text>", makes a few REST round trips first, and runs until it is killed. The package
 * itself is untouched: only the hosts that it hard-codes are replaced, in the HTTP client that it
 * exposes. It is looked for in the current folder.
 */
"use strict";

const { createRequire } = require("node:module");
const path = require("node:path");

const here = createRequire(path.join(process.cwd(), "package.json"));
const { Bot, ReceiverMode } = here("qq-official-bot");

const TOKEN_URL = "https://bots.qq.com/app/getAppAccessToken";

function pointAt(bot, baseUrl) {
  bot.request.defaults.baseURL = baseUrl;
  bot.request.interceptors.request.use((config) => {
    if (config.url === TOKEN_URL) {
      config.url = `${baseUrl}/app/getAppAccessToken`;
    }
    return config;
  });
}

/** Reads and changes the world; throws where an answer is not what was changed. */
async function roundTrips(bot) {
  const me = await bot.getSelfInfo();
  const guilds = await bot.guildService.getList();
  if (guilds.length < 2) throw new Error(`guilds: ${JSON.stringify(guilds)}`);
  const guild = guilds[0].id ?? guilds[0].guild_id;
  const channels = await bot.channelService.getList(guild);
  if (channels.length === 0) throw new Error("no channels");
  const role = await bot.creatGuildRole(guild, { name: "stranger", color: 255, hoist: 1 });
  if (role.name !== "stranger") throw new Error(`role: ${JSON.stringify(role)}`);
  const roles = await bot.getGuildRoles(guild);
  if (!roles.some((known) => known.name === "stranger")) throw new Error("the role is not listed");
  return me;
}

async function main() {
  const [baseUrl, appid, secret] = process.argv.slice(2);
  if (!secret) {
    console.error("usage: official_echo.cjs BASE_URL APP_ID SECRET");
    process.exit(2);
  }
  const bot = new Bot({
    appid,
    secret,
    intents: ["GROUP_AND_C2C_EVENT", "PUBLIC_GUILD_MESSAGES", "DIRECT_MESSAGE"],
    mode: ReceiverMode.WEBSOCKET,
    logLevel: "warn",
    removeAt: true,
  });
  pointAt(bot, baseUrl.replace(/\/$/, ""));
  bot.on("message", async (message) => {
    try {
      const text = String(message.raw_message ?? message.content).trim();
      const answer = await message.reply(`echo: ${text}`);
      console.log(`answered ${message.message_type} ${message.message_id} ${answer && answer.id}`);
    } catch (error) {
      console.error(`not answered: ${error && error.message}`);
    }
  });
  await bot.start();
  console.log(`ready ${bot.nickname}`);
  await roundTrips(bot);
  console.log("round trips done");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
