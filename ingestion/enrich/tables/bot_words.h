/* bot_words.h -- words of User-Agent headers that no visitor's browser has.  In any case. */
#ifndef INGESTION_ENRICH_TABLES_BOT_WORDS_H
#define INGESTION_ENRICH_TABLES_BOT_WORDS_H

/* A word counts only where ... (flags, added up) */
enum bot_word_flag {
    WORD_ANYWHERE = 0,
    WORD_BEGINS = 1, /* no letter stands before it */
    WORD_ENDS = 2,   /* no letter stands after it */
    WORD_FIRST = 4,  /* the header begins with it */
    WORD_ALL = 8,    /* the header is nothing else */
};

/* clang-format off */

/*    reason, word, flags */
#define BOT_WORDS(X) \
    X(CRAWLER, "bot", WORD_ENDS) \
    X(CRAWLER, "bots", WORD_ENDS) \
    X(CRAWLER, "robot", WORD_BEGINS) \
    X(CRAWLER, "crawl", WORD_ANYWHERE) \
    X(CRAWLER, "spider", WORD_ANYWHERE) \
    X(CRAWLER, "slurp", WORD_ANYWHERE) \
    X(CRAWLER, "scrape", WORD_ANYWHERE) \
    X(CRAWLER, "archiver", WORD_ENDS) \
    X(CRAWLER, "fetcher", WORD_ENDS) \
    X(CRAWLER, "indexer", WORD_ENDS) \
    X(CRAWLER, "validator", WORD_ANYWHERE) \
    X(CRAWLER, "linkcheck", WORD_ANYWHERE) \
    X(CRAWLER, "link check", WORD_ANYWHERE) \
    X(CRAWLER, "linkpreview", WORD_ANYWHERE) \
    X(CRAWLER, "link preview", WORD_ANYWHERE) \
    X(CRAWLER, "url preview", WORD_ANYWHERE) \
    X(CRAWLER, "web preview", WORD_ANYWHERE) \
    X(CRAWLER, "+http://", WORD_ANYWHERE) \
    X(CRAWLER, "+https://", WORD_ANYWHERE) \
    X(CRAWLER, "bingpreview", WORD_ANYWHERE) \
    X(CRAWLER, "facebookexternalhit", WORD_ANYWHERE) \
    X(CRAWLER, "facebookcatalog", WORD_ANYWHERE) \
    X(CRAWLER, "whatsapp", WORD_FIRST) \
    X(CRAWLER, "embedly", WORD_ANYWHERE) \
    X(CRAWLER, "iframely", WORD_ANYWHERE) \
    X(CRAWLER, "skypeuripreview", WORD_ANYWHERE) \
    X(CRAWLER, "vkshare", WORD_ANYWHERE) \
    X(CRAWLER, "google favicon", WORD_ANYWHERE) \
    X(CRAWLER, "googleimageproxy", WORD_ANYWHERE) \
    X(CRAWLER, "yahoomailproxy", WORD_ANYWHERE) \
    X(CRAWLER, "mediapartners-google", WORD_ANYWHERE) \
    X(CRAWLER, "feedfetcher", WORD_ANYWHERE) \
    X(CRAWLER, "apis-google", WORD_ANYWHERE) \
    X(CRAWLER, "googleother", WORD_BEGINS) \
    X(CRAWLER, "google-", WORD_BEGINS) \
    X(CRAWLER, "appengine-google", WORD_ANYWHERE) \
    X(CRAWLER, "feedparser", WORD_ANYWHERE) \
    X(CRAWLER, "feed parser", WORD_ANYWHERE) \
    X(CRAWLER, "feedburner", WORD_ANYWHERE) \
    X(CRAWLER, "feedbin", WORD_ANYWHERE) \
    X(CRAWLER, "feedly", WORD_ANYWHERE) \
    X(CRAWLER, "feedvalidator", WORD_ANYWHERE) \
    X(CRAWLER, "feed fetcher", WORD_ANYWHERE) \
    X(CRAWLER, "feed reader", WORD_ANYWHERE) \
    X(CRAWLER, "simplepie", WORD_ANYWHERE) \
    X(CRAWLER, "tiny tiny rss", WORD_ANYWHERE) \
    X(CRAWLER, "inoreader", WORD_ANYWHERE) \
    X(CRAWLER, "theoldreader", WORD_ANYWHERE) \
    X(CRAWLER, "commafeed", WORD_ANYWHERE) \
    X(CRAWLER, "feed-id=", WORD_ANYWHERE) \
    X(CRAWLER, "newsgator", WORD_ANYWHERE) \
    X(CRAWLER, "newsblur", WORD_ANYWHERE) \
    X(CRAWLER, "livejournal.com", WORD_FIRST) \
    X(CRAWLER, "flipboardproxy", WORD_ANYWHERE) \
    X(CRAWLER, "flipboardrss", WORD_ANYWHERE) \
    X(CRAWLER, "spinn3r", WORD_ANYWHERE) \
    X(CRAWLER, "heritrix", WORD_ANYWHERE) \
    X(CRAWLER, "nutch", WORD_ANYWHERE) \
    X(CRAWLER, "ezooms", WORD_ANYWHERE) \
    X(CRAWLER, "qwantify", WORD_ANYWHERE) \
    X(CRAWLER, "netcraft", WORD_ANYWHERE) \
    X(CRAWLER, "expanse", WORD_FIRST) \
    X(CRAWLER, "censysinspect", WORD_ANYWHERE) \
    X(CRAWLER, "internetmeasurement", WORD_ANYWHERE) \
    X(CRAWLER, "zgrab", WORD_ANYWHERE) \
    X(CRAWLER, "masscan", WORD_ANYWHERE) \
    X(CRAWLER, "nmap", WORD_BEGINS) \
    X(CRAWLER, "nikto", WORD_BEGINS) \
    X(CRAWLER, "sqlmap", WORD_ANYWHERE) \
    X(CRAWLER, "wpscan", WORD_ANYWHERE) \
    X(CRAWLER, "nuclei", WORD_BEGINS) \
    X(CRAWLER, "barkrowler", WORD_ANYWHERE) \
    X(CRAWLER, "trendiction", WORD_ANYWHERE) \
    X(CRAWLER, "linkdex", WORD_ANYWHERE) \
    X(CRAWLER, "screaming frog", WORD_ANYWHERE) \
    X(CRAWLER, "siteexplorer", WORD_ANYWHERE) \
    X(CRAWLER, "xenu link", WORD_ANYWHERE) \
    X(CRAWLER, "yeti/", WORD_BEGINS) \
    X(CRAWLER, "daumoa", WORD_ANYWHERE) \
    X(CRAWLER, "genieo", WORD_ANYWHERE) \
    X(CRAWLER, "bubing", WORD_ANYWHERE) \
    X(CRAWLER, "httrack", WORD_ANYWHERE) \
    X(CRAWLER, "webcopier", WORD_ANYWHERE) \
    X(CRAWLER, "teleport pro", WORD_ANYWHERE) \
    X(CRAWLER, "browsershots", WORD_ANYWHERE) \
    X(CRAWLER, "w3c_", WORD_BEGINS) \
    X(CRAWLER, "wordpress", WORD_FIRST) \
    X(CRAWLER, "pandora.com", WORD_ANYWHERE) \
    X(CRAWLER, "binlar", WORD_ANYWHERE) \
    X(CRAWLER, "plukkie", WORD_ANYWHERE) \
    X(CRAWLER, "yandeximages", WORD_ANYWHERE) \
    X(CRAWLER, "yandexmetrika", WORD_ANYWHERE) \
    X(CRAWLER, "yandexdirect", WORD_ANYWHERE) \
    X(CRAWLER, "aspiegel", WORD_ANYWHERE) \
    X(LIBRARY, "curl/", WORD_BEGINS) \
    X(LIBRARY, "wget", WORD_BEGINS) \
    X(LIBRARY, "python", WORD_FIRST) \
    X(LIBRARY, "python-requests", WORD_ANYWHERE) \
    X(LIBRARY, "python-urllib", WORD_ANYWHERE) \
    X(LIBRARY, "python-httpx", WORD_ANYWHERE) \
    X(LIBRARY, "aiohttp", WORD_ANYWHERE) \
    X(LIBRARY, "scrapy", WORD_ANYWHERE) \
    X(LIBRARY, "pycurl", WORD_ANYWHERE) \
    X(LIBRARY, "mechanize", WORD_ANYWHERE) \
    X(LIBRARY, "go-http-client", WORD_ANYWHERE) \
    X(LIBRARY, "fasthttp", WORD_ANYWHERE) \
    X(LIBRARY, "okhttp", WORD_FIRST) \
    X(LIBRARY, "java/", WORD_FIRST) \
    X(LIBRARY, "java-http-client", WORD_ANYWHERE) \
    X(LIBRARY, "apache-httpclient", WORD_ANYWHERE) \
    X(LIBRARY, "jakarta commons", WORD_ANYWHERE) \
    X(LIBRARY, "libwww-perl", WORD_ANYWHERE) \
    X(LIBRARY, "lwp::", WORD_ANYWHERE) \
    X(LIBRARY, "lwp-", WORD_FIRST) \
    X(LIBRARY, "perl", WORD_FIRST) \
    X(LIBRARY, "ruby", WORD_FIRST) \
    X(LIBRARY, "faraday", WORD_FIRST) \
    X(LIBRARY, "typhoeus", WORD_ANYWHERE) \
    X(LIBRARY, "php/", WORD_BEGINS) \
    X(LIBRARY, "guzzlehttp", WORD_ANYWHERE) \
    X(LIBRARY, "symfony httpclient", WORD_ANYWHERE) \
    X(LIBRARY, "http_request", WORD_ANYWHERE) \
    X(LIBRARY, "node-fetch", WORD_ANYWHERE) \
    X(LIBRARY, "axios/", WORD_BEGINS) \
    X(LIBRARY, "undici", WORD_FIRST) \
    X(LIBRARY, "node", WORD_ALL) \
    X(LIBRARY, "node.js", WORD_FIRST) \
    X(LIBRARY, "got (", WORD_FIRST) \
    X(LIBRARY, "got/", WORD_FIRST) \
    X(LIBRARY, "deno/", WORD_FIRST) \
    X(LIBRARY, "bun/", WORD_FIRST) \
    X(LIBRARY, "reqwest", WORD_FIRST) \
    X(LIBRARY, "hyper/", WORD_FIRST) \
    X(LIBRARY, "ureq/", WORD_FIRST) \
    X(LIBRARY, "httpie", WORD_FIRST) \
    X(LIBRARY, "xh/", WORD_FIRST) \
    X(LIBRARY, "postmanruntime", WORD_ANYWHERE) \
    X(LIBRARY, "insomnia/", WORD_FIRST) \
    X(LIBRARY, "winhttp", WORD_BEGINS) \
    X(LIBRARY, "boto", WORD_FIRST) \
    X(LIBRARY, "aws-sdk-", WORD_BEGINS) \
    X(LIBRARY, "apt-http", WORD_BEGINS) \
    X(LIBRARY, "unirest-java", WORD_FIRST) \
    X(LIBRARY, "httpclient/", WORD_ANYWHERE) \
    X(LIBRARY, "http.rb/", WORD_FIRST) \
    X(LIBRARY, "restsharp", WORD_ANYWHERE) \
    X(LIBRARY, "powershell", WORD_ANYWHERE) \
    X(LIBRARY, "lua-resty-http", WORD_ANYWHERE) \
    X(LIBRARY, "libfetch", WORD_ANYWHERE) \
    X(LIBRARY, "chef client", WORD_FIRST) \
    X(HEADLESS, "headlesschrome", WORD_ANYWHERE) \
    X(HEADLESS, "headless", WORD_ENDS) \
    X(HEADLESS, "phantomjs", WORD_ANYWHERE) \
    X(HEADLESS, "slimerjs", WORD_ANYWHERE) \
    X(HEADLESS, "puppeteer", WORD_ANYWHERE) \
    X(HEADLESS, "playwright", WORD_ANYWHERE) \
    X(HEADLESS, "selenium", WORD_ANYWHERE) \
    X(HEADLESS, "cypress/", WORD_BEGINS) \
    X(HEADLESS, "jsdom/", WORD_BEGINS) \
    X(HEADLESS, "htmlunit", WORD_ANYWHERE) \
    X(HEADLESS, "casperjs", WORD_ANYWHERE) \
    X(HEADLESS, "prerender", WORD_ANYWHERE) \
    X(HEADLESS, "rendertron", WORD_ANYWHERE) \
    X(MONITOR, "uptime", WORD_BEGINS) \
    X(MONITOR, "betteruptime", WORD_ANYWHERE) \
    X(MONITOR, "better stack", WORD_ANYWHERE) \
    X(MONITOR, "pingdom", WORD_ANYWHERE) \
    X(MONITOR, "statuscake", WORD_ANYWHERE) \
    X(MONITOR, "site24x7", WORD_ANYWHERE) \
    X(MONITOR, "gtmetrix", WORD_ANYWHERE) \
    X(MONITOR, "lighthouse", WORD_ENDS) \
    X(MONITOR, "page speed", WORD_ANYWHERE) \
    X(MONITOR, "pagespeed", WORD_ANYWHERE) \
    X(MONITOR, "ptst/", WORD_BEGINS) \
    X(MONITOR, "webpagetest", WORD_ANYWHERE) \
    X(MONITOR, "datadog", WORD_ANYWHERE) \
    X(MONITOR, "newrelicpinger", WORD_ANYWHERE) \
    X(MONITOR, "catchpoint", WORD_ANYWHERE) \
    X(MONITOR, "checkly", WORD_BEGINS) \
    X(MONITOR, "updown.io", WORD_ANYWHERE) \
    X(MONITOR, "hetrixtools", WORD_ANYWHERE) \
    X(MONITOR, "freshping", WORD_ANYWHERE) \
    X(MONITOR, "monitis", WORD_ANYWHERE) \
    X(MONITOR, "monitor", WORD_ENDS) \
    X(MONITOR, "monitoring", WORD_ENDS) \
    X(MONITOR, "zabbix", WORD_ANYWHERE) \
    X(MONITOR, "check_http", WORD_ANYWHERE) \
    X(MONITOR, "nagios", WORD_ANYWHERE) \
    X(MONITOR, "blackbox-exporter", WORD_ANYWHERE) \
    X(MONITOR, "blackbox exporter", WORD_ANYWHERE) \
    X(MONITOR, "kube-probe", WORD_ANYWHERE) \
    X(MONITOR, "elb-healthchecker", WORD_ANYWHERE) \
    X(MONITOR, "googlehc/", WORD_ANYWHERE) \
    X(MONITOR, "healthcheck", WORD_ANYWHERE) \
    X(MONITOR, "speedcurve", WORD_ANYWHERE) \
    X(AI, "gptbot", WORD_ANYWHERE) \
    X(AI, "chatgpt-user", WORD_ANYWHERE) \
    X(AI, "oai-searchbot", WORD_ANYWHERE) \
    X(AI, "claudebot", WORD_ANYWHERE) \
    X(AI, "claude-", WORD_BEGINS) \
    X(AI, "anthropic", WORD_ANYWHERE) \
    X(AI, "perplexity", WORD_ANYWHERE) \
    X(AI, "ccbot", WORD_BEGINS) \
    X(AI, "google-extended", WORD_ANYWHERE) \
    X(AI, "google-cloudvertexbot", WORD_ANYWHERE) \
    X(AI, "applebot-extended", WORD_ANYWHERE) \
    X(AI, "bytespider", WORD_ANYWHERE) \
    X(AI, "amazonbot", WORD_ANYWHERE) \
    X(AI, "meta-external", WORD_ANYWHERE) \
    X(AI, "facebookbot", WORD_ANYWHERE) \
    X(AI, "cohere-", WORD_BEGINS) \
    X(AI, "diffbot", WORD_ANYWHERE) \
    X(AI, "youbot", WORD_BEGINS) \
    X(AI, "ai2bot", WORD_ANYWHERE) \
    X(AI, "mistralai", WORD_ANYWHERE) \
    X(AI, "duckassistbot", WORD_ANYWHERE) \
    X(AI, "timpibot", WORD_ANYWHERE) \
    X(AI, "imagesiftbot", WORD_ANYWHERE) \
    X(AI, "omgili", WORD_ANYWHERE) \
    X(AI, "deepseek", WORD_ANYWHERE) \
    X(AI, "grokbot", WORD_ANYWHERE)

/* Words of real phones and programs in which such a word stands, once: there it counts for
 * nothing. */
#define BOT_INNOCENT(X) \
    X("cubot") \
    X("mi robot") \
    X("monitor-app")

/* clang-format on */

#endif
