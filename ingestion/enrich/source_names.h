/* source_names.h -- the names of well-known sources, one row each.
 *
 *   X(key, name, KIND)
 *
 *   key   a host, which stands for the hosts below it too; a host whose last part is *, for
 *         those of all countries (google.de, google.co.uk); or a word that people write into
 *         utm_source, ref or source.  In lower case, sorted by bytes: a test checks it
 *   name  as it is stored
 *   KIND  SEARCH, SOCIAL, AI, EMAIL or OTHER, from which the channel follows
 */
#ifndef INGESTION_ENRICH_SOURCE_NAMES_H
#define INGESTION_ENRICH_SOURCE_NAMES_H

/* clang-format off */
#define SOURCE_NAMES(X) \
    X("adwords", "Google", SEARCH) \
    X("ai.perplexity.app.android", "Perplexity", AI) \
    X("amazon.*", "Amazon", OTHER) \
    X("app.fastmail.com", "Fastmail", EMAIL) \
    X("ask.com", "Ask", SEARCH) \
    X("baidu", "Baidu", SEARCH) \
    X("baidu.com", "Baidu", SEARCH) \
    X("bard.google.com", "Gemini", AI) \
    X("bing", "Bing", SEARCH) \
    X("bing.com", "Bing", SEARCH) \
    X("bluesky", "Bluesky", SOCIAL) \
    X("brave", "Brave", SEARCH) \
    X("bsky.app", "Bluesky", SOCIAL) \
    X("chat.deepseek.com", "DeepSeek", AI) \
    X("chat.mistral.ai", "Mistral", AI) \
    X("chat.openai.com", "ChatGPT", AI) \
    X("chat.qwen.ai", "Qwen", AI) \
    X("chatgpt", "ChatGPT", AI) \
    X("chatgpt.com", "ChatGPT", AI) \
    X("claude", "Claude", AI) \
    X("claude.ai", "Claude", AI) \
    X("claude.com", "Claude", AI) \
    X("coccoc.com", "Coc Coc", SEARCH) \
    X("com.duckduckgo.mobile.android", "DuckDuckGo", SEARCH) \
    X("com.facebook.katana", "Facebook", SOCIAL) \
    X("com.google.android.apps.magazines", "Google News", OTHER) \
    X("com.google.android.gm", "Gmail", EMAIL) \
    X("com.google.android.googlequicksearchbox", "Google", SEARCH) \
    X("com.google.android.youtube", "YouTube", SOCIAL) \
    X("com.instagram.android", "Instagram", SOCIAL) \
    X("com.linkedin.android", "LinkedIn", SOCIAL) \
    X("com.microsoft.office.outlook", "Outlook", EMAIL) \
    X("com.openai.chatgpt", "ChatGPT", AI) \
    X("com.pinterest", "Pinterest", SOCIAL) \
    X("com.reddit.frontpage", "Reddit", SOCIAL) \
    X("com.slack", "Slack", SOCIAL) \
    X("com.twitter.android", "X (Twitter)", SOCIAL) \
    X("com.yahoo.mobile.client.android.mail", "Yahoo! Mail", EMAIL) \
    X("copilot", "Copilot", AI) \
    X("copilot.com", "Copilot", AI) \
    X("copilot.microsoft.com", "Copilot", AI) \
    X("daum", "Daum", SEARCH) \
    X("daum.net", "Daum", SEARCH) \
    X("ddg", "DuckDuckGo", SEARCH) \
    X("deepseek", "DeepSeek", AI) \
    X("deepseek.com", "DeepSeek", AI) \
    X("dev.to", "DEV Community", SOCIAL) \
    X("discord", "Discord", SOCIAL) \
    X("discord.com", "Discord", SOCIAL) \
    X("discordapp.com", "Discord", SOCIAL) \
    X("docs.google.com", "Google Docs", OTHER) \
    X("doubao.com", "Doubao", AI) \
    X("duck.ai", "Duck.ai", AI) \
    X("duckduckgo", "DuckDuckGo", SEARCH) \
    X("duckduckgo.com", "DuckDuckGo", SEARCH) \
    X("e-mail", "Email", EMAIL) \
    X("e.mail.ru", "Mail.ru", EMAIL) \
    X("ecosia", "Ecosia", SEARCH) \
    X("ecosia.org", "Ecosia", SEARCH) \
    X("edgeservices.bing.com", "Copilot", AI) \
    X("email", "Email", EMAIL) \
    X("facebook", "Facebook", SOCIAL) \
    X("facebook.com", "Facebook", SOCIAL) \
    X("fastmail.com", "Fastmail", EMAIL) \
    X("fb", "Facebook", SOCIAL) \
    X("fb.com", "Facebook", SOCIAL) \
    X("fb.me", "Facebook", SOCIAL) \
    X("feedly", "Feedly", OTHER) \
    X("feedly.com", "Feedly", OTHER) \
    X("flipboard", "Flipboard", SOCIAL) \
    X("flipboard.app", "Flipboard", SOCIAL) \
    X("flipboard.com", "Flipboard", SOCIAL) \
    X("fosstodon.org", "Mastodon", SOCIAL) \
    X("gemini", "Gemini", AI) \
    X("gemini.google.com", "Gemini", AI) \
    X("github", "GitHub", SOCIAL) \
    X("github.com", "GitHub", SOCIAL) \
    X("gitlab", "GitLab", OTHER) \
    X("gitlab.com", "GitLab", OTHER) \
    X("gmail", "Gmail", EMAIL) \
    X("gmx.de", "GMX", EMAIL) \
    X("gmx.net", "GMX", EMAIL) \
    X("google", "Google", SEARCH) \
    X("google gemini", "Gemini", AI) \
    X("google.*", "Google", SEARCH) \
    X("grok", "Grok", AI) \
    X("grok.com", "Grok", AI) \
    X("hachyderm.io", "Mastodon", SOCIAL) \
    X("hacker news", "Hacker News", SOCIAL) \
    X("hackernews", "Hacker News", SOCIAL) \
    X("hn", "Hacker News", SOCIAL) \
    X("huggingface.co", "Hugging Face", AI) \
    X("icloud.com", "iCloud Mail", EMAIL) \
    X("ig", "Instagram", SOCIAL) \
    X("instagram", "Instagram", SOCIAL) \
    X("instagram.com", "Instagram", SOCIAL) \
    X("io.github.hidroh.materialistic", "Hacker News", SOCIAL) \
    X("kagi", "Kagi", SEARCH) \
    X("kagi.com", "Kagi", SEARCH) \
    X("kimi.com", "Kimi", AI) \
    X("kimi.moonshot.cn", "Kimi", AI) \
    X("line.me", "LINE", SOCIAL) \
    X("linkedin", "LinkedIn", SOCIAL) \
    X("linkedin.com", "LinkedIn", SOCIAL) \
    X("lite.qwant.com", "Qwant", SEARCH) \
    X("lnkd.in", "LinkedIn", SOCIAL) \
    X("lobste.rs", "Lobsters", SOCIAL) \
    X("lobsters", "Lobsters", SOCIAL) \
    X("mail.aol.com", "AOL Mail", EMAIL) \
    X("mail.google.com", "Gmail", EMAIL) \
    X("mail.live.com", "Outlook", EMAIL) \
    X("mail.naver.com", "Naver Mail", EMAIL) \
    X("mail.proton.me", "Proton Mail", EMAIL) \
    X("mail.ru", "Mail.ru", EMAIL) \
    X("mail.yahoo.*", "Yahoo! Mail", EMAIL) \
    X("mail.yandex.*", "Yandex Mail", EMAIL) \
    X("mail.zoho.com", "Zoho Mail", EMAIL) \
    X("mailchimp", "Mailchimp", EMAIL) \
    X("mas.to", "Mastodon", SOCIAL) \
    X("mastodon", "Mastodon", SOCIAL) \
    X("mastodon.online", "Mastodon", SOCIAL) \
    X("mastodon.social", "Mastodon", SOCIAL) \
    X("medium", "Medium", SOCIAL) \
    X("medium.com", "Medium", SOCIAL) \
    X("messenger", "Messenger", SOCIAL) \
    X("messenger.com", "Messenger", SOCIAL) \
    X("meta", "Facebook", SOCIAL) \
    X("meta.ai", "Meta AI", AI) \
    X("metager.de", "MetaGer", SEARCH) \
    X("mistral", "Mistral", AI) \
    X("mistral.ai", "Mistral", AI) \
    X("mojeek", "Mojeek", SEARCH) \
    X("mojeek.com", "Mojeek", SEARCH) \
    X("mstdn.social", "Mastodon", SOCIAL) \
    X("naver", "Naver", SEARCH) \
    X("naver.com", "Naver", SEARCH) \
    X("news.google.com", "Google News", OTHER) \
    X("news.ycombinator.com", "Hacker News", SOCIAL) \
    X("newsletter", "Newsletter", EMAIL) \
    X("notebooklm.google.com", "NotebookLM", AI) \
    X("ok.ru", "Odnoklassniki", SOCIAL) \
    X("openai", "ChatGPT", AI) \
    X("org.joinmastodon.android", "Mastodon", SOCIAL) \
    X("org.telegram.messenger", "Telegram", SOCIAL) \
    X("org.telegram.messenger.web", "Telegram", SOCIAL) \
    X("outlook", "Outlook", EMAIL) \
    X("outlook.com", "Outlook", EMAIL) \
    X("outlook.live.com", "Outlook", EMAIL) \
    X("outlook.office.com", "Outlook", EMAIL) \
    X("outlook.office365.com", "Outlook", EMAIL) \
    X("perplexity", "Perplexity", AI) \
    X("perplexity.ai", "Perplexity", AI) \
    X("phind", "Phind", AI) \
    X("phind.com", "Phind", AI) \
    X("pinterest", "Pinterest", SOCIAL) \
    X("pinterest.*", "Pinterest", SOCIAL) \
    X("poe", "Poe", AI) \
    X("poe.com", "Poe", AI) \
    X("presearch.com", "Presearch", SEARCH) \
    X("product hunt", "Product Hunt", SOCIAL) \
    X("producthunt", "Product Hunt", SOCIAL) \
    X("producthunt.com", "Product Hunt", SOCIAL) \
    X("quora", "Quora", SOCIAL) \
    X("quora.com", "Quora", SOCIAL) \
    X("qwant", "Qwant", SEARCH) \
    X("qwant.com", "Qwant", SEARCH) \
    X("redd.it", "Reddit", SOCIAL) \
    X("reddit", "Reddit", SOCIAL) \
    X("reddit.com", "Reddit", SOCIAL) \
    X("search.aol.com", "AOL", SEARCH) \
    X("search.brave.com", "Brave", SEARCH) \
    X("seznam", "Seznam", SEARCH) \
    X("seznam.cz", "Seznam", SEARCH) \
    X("slack", "Slack", SOCIAL) \
    X("slack.com", "Slack", SOCIAL) \
    X("snapchat", "Snapchat", SOCIAL) \
    X("snapchat.com", "Snapchat", SOCIAL) \
    X("so.com", "360 Search", SEARCH) \
    X("sogou", "Sogou", SEARCH) \
    X("sogou.com", "Sogou", SEARCH) \
    X("stackoverflow", "Stack Overflow", SOCIAL) \
    X("stackoverflow.com", "Stack Overflow", SOCIAL) \
    X("startpage", "Startpage", SEARCH) \
    X("startpage.com", "Startpage", SEARCH) \
    X("statics.teams.cdn.office.net", "Microsoft Teams", SOCIAL) \
    X("substack", "Substack", OTHER) \
    X("substack.com", "Substack", OTHER) \
    X("swisscows.com", "Swisscows", SEARCH) \
    X("t.co", "X (Twitter)", SOCIAL) \
    X("t.me", "Telegram", SOCIAL) \
    X("teams.microsoft.com", "Microsoft Teams", SOCIAL) \
    X("telegram", "Telegram", SOCIAL) \
    X("telegram.org", "Telegram", SOCIAL) \
    X("threads", "Threads", SOCIAL) \
    X("threads.com", "Threads", SOCIAL) \
    X("threads.net", "Threads", SOCIAL) \
    X("tiktok", "TikTok", SOCIAL) \
    X("tiktok.com", "TikTok", SOCIAL) \
    X("translate.google.com", "Google Translate", OTHER) \
    X("tumblr", "Tumblr", SOCIAL) \
    X("tumblr.com", "Tumblr", SOCIAL) \
    X("twitch", "Twitch", SOCIAL) \
    X("twitch.tv", "Twitch", SOCIAL) \
    X("twitter", "X (Twitter)", SOCIAL) \
    X("twitter.com", "X (Twitter)", SOCIAL) \
    X("vimeo", "Vimeo", SOCIAL) \
    X("vimeo.com", "Vimeo", SOCIAL) \
    X("vk", "VKontakte", SOCIAL) \
    X("vk.com", "VKontakte", SOCIAL) \
    X("vk.ru", "VKontakte", SOCIAL) \
    X("wa.me", "WhatsApp", SOCIAL) \
    X("web.de", "WEB.DE", EMAIL) \
    X("weibo", "Weibo", SOCIAL) \
    X("weibo.cn", "Weibo", SOCIAL) \
    X("weibo.com", "Weibo", SOCIAL) \
    X("whatsapp", "WhatsApp", SOCIAL) \
    X("whatsapp.com", "WhatsApp", SOCIAL) \
    X("wikipedia", "Wikipedia", OTHER) \
    X("wikipedia.org", "Wikipedia", OTHER) \
    X("x", "X (Twitter)", SOCIAL) \
    X("x.ai", "Grok", AI) \
    X("x.com", "X (Twitter)", SOCIAL) \
    X("xing", "XING", SOCIAL) \
    X("xing.com", "XING", SOCIAL) \
    X("ya.ru", "Yandex", SEARCH) \
    X("yahoo", "Yahoo!", SEARCH) \
    X("yahoo!", "Yahoo!", SEARCH) \
    X("yahoo.*", "Yahoo!", SEARCH) \
    X("yandex", "Yandex", SEARCH) \
    X("yandex.*", "Yandex", SEARCH) \
    X("you.com", "You.com", AI) \
    X("youtu.be", "YouTube", SOCIAL) \
    X("youtube", "YouTube", SOCIAL) \
    X("youtube.com", "YouTube", SOCIAL) \
    X("yt", "YouTube", SOCIAL) \
    X("zhihu.com", "Zhihu", SOCIAL)
/* clang-format on */

#endif
