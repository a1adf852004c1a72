/* agent_rows.h -- the tables of agent.c: texts of User-Agent headers, and what they mean.
 *
 * Programs that name themselves once, as Name/1.2, are rows of AGENT_PROGRAMS: text and name
 * in one.  All else is a text in AGENT_TEXTS and rules that go by which texts are there.
 * Rules stand in the order in which they are asked; a browser that contains the names of
 * others stands before them.
 */
#ifndef INGESTION_ENRICH_TABLES_AGENT_ROWS_H
#define INGESTION_ENRICH_TABLES_AGENT_ROWS_H

/* A text counts only where ... (flags, added up) */
enum agent_text_flag {
    TEXT_ANYWHERE = 0,
    TEXT_WORD = 1,   /* no letter or digit stands before it */
    TEXT_DIGIT = 2,  /* a digit follows, after a separator and a "v" or directly */
    TEXT_ANY_CASE = 4, /* in upper or lower case; the others as they stand here */
};

/* clang-format off */

/*    id, text, flags */
#define AGENT_TEXTS(X) \
    X(VERSION, "Version", TEXT_WORD | TEXT_DIGIT) \
    X(MOZILLA, "Mozilla/", TEXT_WORD) \
    X(FBAV, "FBAV/", TEXT_DIGIT) \
    X(FB, "[FB", TEXT_ANYWHERE) \
    X(MESSENGER, "MESSENGER", TEXT_ANYWHERE) \
    X(PINTEREST_APP, "[Pinterest/", TEXT_ANYWHERE) \
    X(INSTAGRAM, "Instagram", TEXT_WORD | TEXT_DIGIT) \
    X(FLIPBOARD, "Flipboard", TEXT_WORD | TEXT_DIGIT) \
    X(TWITTER_IPHONE, "Twitter for iP", TEXT_ANYWHERE) \
    X(TWITTER_ANDROID, "TwitterAndroid", TEXT_ANYWHERE) \
    X(PALEMOON, "PaleMoon", TEXT_WORD | TEXT_DIGIT) \
    X(BASILISK, "Basilisk", TEXT_WORD | TEXT_DIGIT) \
    X(FENNEC, "Fennec", TEXT_WORD | TEXT_DIGIT) \
    X(FXIOS, "FxiOS/", TEXT_WORD | TEXT_DIGIT) \
    X(FIREFOX, "Firefox", TEXT_DIGIT) \
    X(NAMOROKA, "Namoroka", TEXT_DIGIT) \
    X(SHIRETOKO, "Shiretoko", TEXT_DIGIT) \
    X(MINEFIELD, "Minefield", TEXT_DIGIT) \
    X(BONECHO, "BonEcho", TEXT_DIGIT) \
    X(ICEWEASEL, "Iceweasel", TEXT_DIGIT) \
    X(UC_BROWSER, "UCBrowser", TEXT_DIGIT) \
    X(UC_BROWSER_2, "UC Browser", TEXT_DIGIT) \
    X(UCWEB, "UCWEB", TEXT_DIGIT) \
    X(OPERA_TABLET, "Opera Tablet", TEXT_ANYWHERE) \
    X(OPERA_MINI, "Opera Mini", TEXT_ANYWHERE) \
    X(OPIOS, "OPiOS", TEXT_DIGIT) \
    X(OPERA_MOBI, "Opera Mobi", TEXT_ANYWHERE) \
    X(OPERA, "Opera", TEXT_DIGIT) \
    X(OPR, "OPR/", TEXT_WORD | TEXT_DIGIT) \
    X(OPT, "OPT/", TEXT_WORD | TEXT_DIGIT) \
    X(COAST, "Coast/", TEXT_WORD | TEXT_DIGIT) \
    X(WEBOS, "webOS", TEXT_DIGIT) \
    X(HPWOS, "hpwOS", TEXT_DIGIT) \
    X(LUAKIT, "luakit", TEXT_ANY_CASE) \
    X(REKONQ, "rekonq", TEXT_ANY_CASE) \
    X(CONKEROR, "conkeror", TEXT_DIGIT | TEXT_ANY_CASE) \
    X(KONQUEROR, "konqueror", TEXT_DIGIT | TEXT_ANY_CASE) \
    X(DRAGON, "Comodo_Dragon", TEXT_DIGIT) \
    X(PS3, "PLAYSTATION 3", TEXT_ANYWHERE) \
    X(PSP, "PlayStation Portable", TEXT_ANYWHERE) \
    X(VITA, "PlayStation Vita", TEXT_ANYWHERE) \
    X(PLAYSTATION, "PlayStation", TEXT_ANYWHERE) \
    X(NX, "NX/", TEXT_WORD | TEXT_DIGIT) \
    X(N3DS, "Nintendo 3DS", TEXT_ANYWHERE) \
    X(NINTENDO, "Nintendo", TEXT_ANYWHERE) \
    X(XBOX, "Xbox", TEXT_ANYWHERE) \
    X(SILK, "Silk", TEXT_WORD | TEXT_DIGIT) \
    X(SILK_ACCELERATED, "Silk-Accelerated=", TEXT_ANYWHERE) \
    X(EDGIOS, "EdgiOS/", TEXT_WORD | TEXT_DIGIT) \
    X(EDGA, "EdgA/", TEXT_WORD | TEXT_DIGIT) \
    X(EDG, "Edg/", TEXT_WORD | TEXT_DIGIT) \
    X(EDGE, "Edge", TEXT_WORD | TEXT_DIGIT) \
    X(SAMSUNG, "SamsungBrowser", TEXT_DIGIT) \
    X(SEZNAM, "SznProhlizec", TEXT_DIGIT) \
    X(COC_COC, "coc_coc_browser", TEXT_DIGIT) \
    X(BAIDU, "baidubrowser", TEXT_DIGIT) \
    X(FLYFLOW, "FlyFlow", TEXT_DIGIT) \
    X(MXBROWSER, "MxBrowser", TEXT_DIGIT) \
    X(MAXTHON, "Maxthon", TEXT_ANY_CASE) \
    X(LINE, "Line/", TEXT_WORD | TEXT_DIGIT) \
    X(GSA, "GSA/", TEXT_WORD | TEXT_DIGIT) \
    X(MQQ_MINI, "MQQBrowser/Mini", TEXT_ANYWHERE) \
    X(MQQ, "MQQBrowser", TEXT_ANYWHERE) \
    X(QQ, "QQBrowser", TEXT_WORD) \
    X(DUCKDUCKGO, "DuckDuckGo/", TEXT_WORD | TEXT_DIGIT) \
    X(WV, "; wv)", TEXT_ANYWHERE) \
    X(CRMO, "CrMo/", TEXT_WORD | TEXT_DIGIT) \
    X(CRIOS, "CriOS/", TEXT_WORD | TEXT_DIGIT) \
    X(CHROMEFRAME, "chromeframe", TEXT_DIGIT) \
    X(METASR, "SE 2.X MetaSr", TEXT_ANYWHERE) \
    X(YABROWSER, "YaBrowser/", TEXT_DIGIT) \
    X(MRCHROME, " MRCHROME", TEXT_ANYWHERE) \
    X(AOL, "AOL", TEXT_WORD | TEXT_DIGIT) \
    X(AOLBUILD, "AOLBuild", TEXT_ANYWHERE) \
    X(BRAVE, "brave", TEXT_WORD | TEXT_DIGIT) \
    X(IRON, " Iron", TEXT_ANYWHERE) \
    X(HEADLESS, "HeadlessChrome", TEXT_ANYWHERE) \
    X(CHROMIUM, "Chromium", TEXT_DIGIT) \
    X(CHROME, "Chrome", TEXT_DIGIT) \
    X(IEMOBILE, "IEMobile", TEXT_DIGIT) \
    X(TRIDENT8, "Trident/8.0", TEXT_ANYWHERE) \
    X(TRIDENT7, "Trident/7.0", TEXT_ANYWHERE) \
    X(TRIDENT6, "Trident/6.0", TEXT_ANYWHERE) \
    X(TRIDENT5, "Trident/5.0", TEXT_ANYWHERE) \
    X(TRIDENT4, "Trident/4.0", TEXT_ANYWHERE) \
    X(MSIE, "MSIE", TEXT_DIGIT) \
    X(APPLEWEBKIT, "AppleWebKit/", TEXT_DIGIT) \
    X(SAFARI, "Safari", TEXT_WORD | TEXT_DIGIT) \
    X(SAFARI_BARE, "Safari", TEXT_ANYWHERE) \
    X(MOBILE_SAFARI, "MobileSafari", TEXT_WORD | TEXT_DIGIT) \
    X(CFNETWORK, "CFNetwork/", TEXT_ANYWHERE) \
    X(PHANTOMJS, "PhantomJS", TEXT_DIGIT) \
    X(BLACKBERRY_WORD, "BlackBerry", TEXT_ANYWHERE) \
    X(BB10, "BB10", TEXT_ANYWHERE) \
    X(PLAYBOOK, "PlayBook", TEXT_ANYWHERE) \
    X(RIM_TABLET, "RIM Tablet OS", TEXT_DIGIT) \
    X(NOKIA_BROWSER, "NokiaBrowser", TEXT_DIGIT) \
    X(BROWSER_NG, "BrowserNG", TEXT_DIGIT) \
    X(SERIES60_5, "Series60/5.0", TEXT_ANYWHERE) \
    X(SERIES60, "Series60", TEXT_DIGIT) \
    X(OVI, "S40OviBrowser", TEXT_DIGIT) \
    X(NOKIA, "Nokia", TEXT_ANYWHERE) \
    X(UP_BROWSER, "UP.Browser", TEXT_ANYWHERE) \
    X(OPENWAVE, "UP.Link", TEXT_ANYWHERE) \
    X(SEMC, "SEMC-Browser", TEXT_DIGIT) \
    X(NETFRONT, "NetFront", TEXT_DIGIT) \
    X(OBIGO, "Obigo", TEXT_ANY_CASE) \
    X(DOLPHIN, "Dolphin HDCN", TEXT_DIGIT) \
    X(DOLPHIN_2, "Dolphin/INT-", TEXT_DIGIT) \
    X(KINDLE, "Kindle", TEXT_WORD) \
    X(PYTHON_REQUESTS, "python-requests", TEXT_DIGIT) \
    X(ELINKS, "ELinks", TEXT_WORD) \
    X(LINKS, "Links (", TEXT_WORD | TEXT_DIGIT) \
    X(OUTLOOK, "Microsoft Outlook", TEXT_ANYWHERE) \
    X(OUTLOOK_2, "MSOffice", TEXT_ANYWHERE) \
    X(GOOGLE_FAVICON, "Google favicon", TEXT_ANYWHERE) \
    X(GMAIL_IMAGES, "GoogleImageProxy", TEXT_ANYWHERE) \
    X(ARCHIVE_ORG, "archive.org_bot", TEXT_ANYWHERE) \
    X(ARCHIVER, "special_archiver", TEXT_ANYWHERE) \
    X(YAHOO_SLURP, "Yahoo! Slurp", TEXT_ANYWHERE) \
    X(SLURP, "Slurp", TEXT_ANYWHERE) \
    X(FACEBOOK_HIT, "facebookexternalhit", TEXT_DIGIT) \
    X(TTRSS, "Tiny Tiny RSS", TEXT_DIGIT) \
    X(XENU, "Xenu Link Sleuth", TEXT_ANYWHERE) \
    X(WINDOWS_PHONE_OS, "Windows Phone OS", TEXT_DIGIT) \
    X(WINDOWS_PHONE, "Windows Phone", TEXT_DIGIT) \
    X(XBLWP7, "XBLWP7", TEXT_ANYWHERE) \
    X(WINDOWS_MOBILE, "Windows Mobile", TEXT_ANYWHERE) \
    X(WINDOWS_MOBILE_2, "WindowsMobile", TEXT_ANYWHERE) \
    X(ANDROID, "Android", TEXT_DIGIT) \
    X(ANDROID_BARE, "Android", TEXT_ANYWHERE) \
    X(ADR, "Adr", TEXT_WORD | TEXT_DIGIT) \
    X(WIN_10, "Windows 10", TEXT_ANYWHERE) \
    X(NT_52, "Windows NT 5.2", TEXT_ANYWHERE) \
    X(NT_51, "Windows NT 5.1", TEXT_ANYWHERE) \
    X(NT_61, "Windows NT 6.1", TEXT_ANYWHERE) \
    X(NT_60, "Windows NT 6.0", TEXT_ANYWHERE) \
    X(NT_62, "Windows NT 6.2", TEXT_ANYWHERE) \
    X(NT_63, "Windows NT 6.3", TEXT_ANYWHERE) \
    X(NT_62_ARM, "Windows NT 6.2; ARM;", TEXT_ANYWHERE) \
    X(NT_63_ARM, "Windows NT 6.3; ARM;", TEXT_ANYWHERE) \
    X(NT_64, "Windows NT 6.4", TEXT_ANYWHERE) \
    X(NT_100, "Windows NT 10.0", TEXT_ANYWHERE) \
    X(NT_50, "Windows NT 5.0", TEXT_ANYWHERE) \
    X(NT_40, "WinNT4.0", TEXT_ANYWHERE) \
    X(WIN_NT, "Windows NT", TEXT_ANYWHERE) \
    X(WIN_NT_2, "WinNT", TEXT_ANYWHERE) \
    X(WIN_ME, "Win 9x 4.90", TEXT_ANYWHERE) \
    X(WIN_CE, "Windows CE", TEXT_ANYWHERE) \
    X(WINDOWSCE, "WindowsCE", TEXT_ANYWHERE) \
    X(WINDOWS_ME, "Windows ME", TEXT_ANYWHERE) \
    X(WIN_31, "Windows 3.1", TEXT_ANYWHERE) \
    X(WIN31, "Win3.1", TEXT_ANYWHERE) \
    X(WIN16, "Win16", TEXT_ANYWHERE) \
    X(WIN_NT_3, "Win NT", TEXT_ANYWHERE) \
    X(BOX, "Box", TEXT_WORD) \
    X(BOX_WINDOWS, "Windows/", TEXT_DIGIT) \
    X(BOX_DARWIN, ";Darwin/10.", TEXT_DIGIT) \
    X(WIN_98, "Windows 98", TEXT_ANYWHERE) \
    X(WIN98, "Win98", TEXT_ANYWHERE) \
    X(WIN_95, "Windows 95", TEXT_ANYWHERE) \
    X(WIN95, "Win95", TEXT_ANYWHERE) \
    X(WIN_2000, "Windows 2000", TEXT_ANYWHERE) \
    X(WIN_XP, "Windows XP", TEXT_ANYWHERE) \
    X(WIN_VISTA, "Windows Vista", TEXT_ANYWHERE) \
    X(WIN_7, "Windows 7", TEXT_ANYWHERE) \
    X(WIN32, "Win32", TEXT_ANYWHERE) \
    X(WINDOWS, "Windows", TEXT_ANYWHERE) \
    X(TIZEN, "Tizen", TEXT_DIGIT) \
    X(MAC_OS_X, "Mac OS X", TEXT_DIGIT) \
    X(OS_X, "; OS X", TEXT_DIGIT) \
    X(MACOS_X, "Mac OS X Version", TEXT_DIGIT) \
    X(MAC_MACH_O, "Mac OS X Mach-O", TEXT_ANYWHERE) \
    X(MAC_PLUS, "Mac+OS+X", TEXT_DIGIT) \
    X(CPU_OS_PLUS, "CPU+OS", TEXT_DIGIT) \
    X(CPU_IPHONE_PLUS, "CPU+iPhone+OS", TEXT_DIGIT) \
    X(UC_IPHONE, "iPh OS", TEXT_DIGIT) \
    X(UC_IPAD, "iPd OS", TEXT_DIGIT) \
    X(INTEL_MAC, "Intel Mac OS X", TEXT_ANYWHERE) \
    X(PPC_MAC, "PPC Mac OS X", TEXT_ANYWHERE) \
    X(POWERPC, "Mac_PowerPC", TEXT_ANYWHERE) \
    X(MACINTOSH, "Macintosh", TEXT_ANYWHERE) \
    X(X86_64, "(x86_64)", TEXT_ANYWHERE) \
    X(I386, "(i386)", TEXT_ANYWHERE) \
    X(DARWIN9, "Darwin/9.", TEXT_ANYWHERE) \
    X(DARWIN10, "Darwin/10.", TEXT_ANYWHERE) \
    X(DARWIN11, "Darwin/11.", TEXT_ANYWHERE) \
    X(DARWIN12, "Darwin/12.", TEXT_ANYWHERE) \
    X(DARWIN13, "Darwin/13.", TEXT_ANYWHERE) \
    X(DARWIN14, "Darwin/14.", TEXT_ANYWHERE) \
    X(DARWIN15, "Darwin/15.", TEXT_ANYWHERE) \
    X(DARWIN16, "Darwin/16.", TEXT_ANYWHERE) \
    X(DARWIN17, "Darwin/17.", TEXT_ANYWHERE) \
    X(DARWIN18, "Darwin/18.", TEXT_ANYWHERE) \
    X(DARWIN19, "Darwin/19.", TEXT_ANYWHERE) \
    X(DARWIN20, "Darwin/20.", TEXT_ANYWHERE) \
    X(DARWIN21, "Darwin/21.", TEXT_ANYWHERE) \
    X(CFN_548_0, "CFNetwork/548.0", TEXT_ANYWHERE) \
    X(CFN_548_1, "CFNetwork/548.1", TEXT_ANYWHERE) \
    X(CFN_609_1, "CFNetwork/609.1", TEXT_ANYWHERE) \
    X(CFN_609, "CFNetwork/609", TEXT_ANYWHERE) \
    X(CFN_711_1, "CFNetwork/711.1", TEXT_ANYWHERE) \
    X(CFN_711_2, "CFNetwork/711.2", TEXT_ANYWHERE) \
    X(CFN_711_3, "CFNetwork/711.3", TEXT_ANYWHERE) \
    X(CFN_711_4, "CFNetwork/711.4", TEXT_ANYWHERE) \
    X(CFN_720, "CFNetwork/720.", TEXT_ANYWHERE) \
    X(CFN_760, "CFNetwork/760.", TEXT_ANYWHERE) \
    X(DARWIN_15_4, "Darwin/15.4.", TEXT_ANYWHERE) \
    X(DARWIN_15_5, "Darwin/15.5.", TEXT_ANYWHERE) \
    X(DARWIN_15_6, "Darwin/15.6.", TEXT_ANYWHERE) \
    X(DARWIN_16_3, "Darwin/16.3.", TEXT_ANYWHERE) \
    X(DARWIN_16_5, "Darwin/16.5.", TEXT_ANYWHERE) \
    X(DARWIN_16_6, "Darwin/16.6.", TEXT_ANYWHERE) \
    X(DARWIN_16_7, "Darwin/16.7.", TEXT_ANYWHERE) \
    X(DARWIN_17_0, "Darwin/17.0.", TEXT_ANYWHERE) \
    X(DARWIN_17_2, "Darwin/17.2.", TEXT_ANYWHERE) \
    X(DARWIN_17_3, "Darwin/17.3.", TEXT_ANYWHERE) \
    X(DARWIN_17_4, "Darwin/17.4.", TEXT_ANYWHERE) \
    X(DARWIN_17_5, "Darwin/17.5.", TEXT_ANYWHERE) \
    X(DARWIN_17_6, "Darwin/17.6.", TEXT_ANYWHERE) \
    X(DARWIN_17_7, "Darwin/17.7.", TEXT_ANYWHERE) \
    X(DARWIN_18_0, "Darwin/18.0.", TEXT_ANYWHERE) \
    X(DARWIN_18_2, "Darwin/18.2.", TEXT_ANYWHERE) \
    X(DARWIN_18_5, "Darwin/18.5.", TEXT_ANYWHERE) \
    X(DARWIN_18_6, "Darwin/18.6.", TEXT_ANYWHERE) \
    X(DARWIN_18_7, "Darwin/18.7.", TEXT_ANYWHERE) \
    X(DARWIN_19_2, "Darwin/19.2.", TEXT_ANYWHERE) \
    X(DARWIN_19_3, "Darwin/19.3.", TEXT_ANYWHERE) \
    X(DARWIN_19_4, "Darwin/19.4.", TEXT_ANYWHERE) \
    X(DARWIN_19_5, "Darwin/19.5.", TEXT_ANYWHERE) \
    X(DARWIN_19_6, "Darwin/19.6.", TEXT_ANYWHERE) \
    X(DARWIN_20_1, "Darwin/20.1.", TEXT_ANYWHERE) \
    X(DARWIN_20_2, "Darwin/20.2.", TEXT_ANYWHERE) \
    X(DARWIN_20_3, "Darwin/20.3.", TEXT_ANYWHERE) \
    X(DARWIN_20_4, "Darwin/20.4.", TEXT_ANYWHERE) \
    X(DARWIN_20_5, "Darwin/20.5.", TEXT_ANYWHERE) \
    X(DARWIN_20_6, "Darwin/20.6.", TEXT_ANYWHERE) \
    X(DARWIN_21_0, "Darwin/21.0.", TEXT_ANYWHERE) \
    X(DARWIN_21_1, "Darwin/21.1.", TEXT_ANYWHERE) \
    X(DARWIN_21_2, "Darwin/21.2.", TEXT_ANYWHERE) \
    X(DARWIN_21_3, "Darwin/21.3.", TEXT_ANYWHERE) \
    X(DARWIN_21_4, "Darwin/21.4.", TEXT_ANYWHERE) \
    X(DARWIN_21_5, "Darwin/21.5.", TEXT_ANYWHERE) \
    X(DARWIN_21_6, "Darwin/21.6.", TEXT_ANYWHERE) \
    X(CFNETWORK_6720, "CFNetwork/672.0.", TEXT_ANYWHERE) \
    X(CFNETWORK_6721, "CFNetwork/672.1.", TEXT_ANYWHERE) \
    X(APPLE_TV, "AppleTV", TEXT_ANYWHERE) \
    X(APPLE_TV_2, "Apple TV", TEXT_ANYWHERE) \
    X(TVOS, "tvOS", TEXT_DIGIT) \
    X(WATCHOS, "watchOS", TEXT_DIGIT) \
    X(CPU_OS, "CPU OS", TEXT_DIGIT) \
    X(CPU_IPHONE_OS, "iPhone OS", TEXT_DIGIT | TEXT_ANY_CASE) \
    X(CPU_IPHONE, "CPU iPhone", TEXT_DIGIT) \
    X(CPU_IPAD_OS, "iPad OS", TEXT_DIGIT) \
    X(IPHONE_OPERA, "iPhone; Opera", TEXT_ANYWHERE) \
    X(IOS, "iOS", TEXT_WORD | TEXT_DIGIT) \
    X(IOS_BARE, "(iOS;", TEXT_ANYWHERE) \
    X(IPHONE, "iPhone", TEXT_ANYWHERE) \
    X(IPOD, "iPod", TEXT_ANYWHERE) \
    X(IPAD, "iPad", TEXT_ANYWHERE) \
    X(CROS_AMD64, "CrOS x86_64", TEXT_DIGIT) \
    X(CROS_I686, "CrOS i686", TEXT_DIGIT) \
    X(CROS_ARM, "CrOS armv7l", TEXT_DIGIT) \
    X(CROS_ARM64, "CrOS aarch64", TEXT_DIGIT) \
    X(CROS, "CrOS", TEXT_WORD) \
    X(MINT, "Linux Mint", TEXT_ANYWHERE) \
    X(UBUNTU, "Ubuntu", TEXT_ANYWHERE) \
    X(DEBIAN, "Debian", TEXT_ANYWHERE) \
    X(FEDORA, "Fedora", TEXT_ANYWHERE) \
    X(CENTOS, "CentOS", TEXT_ANYWHERE) \
    X(RED_HAT, "Red Hat", TEXT_ANYWHERE) \
    X(SUSE, "SUSE", TEXT_ANYWHERE) \
    X(GENTOO, "Gentoo", TEXT_ANYWHERE) \
    X(MANDRIVA, "Mandriva", TEXT_ANYWHERE) \
    X(SLACKWARE, "Slackware", TEXT_ANYWHERE) \
    X(FREEBSD, "FreeBSD", TEXT_ANYWHERE) \
    X(NETBSD, "NetBSD", TEXT_ANYWHERE) \
    X(OPENBSD, "OpenBSD", TEXT_ANYWHERE) \
    X(SUNOS, "SunOS", TEXT_ANYWHERE) \
    X(SYMBIAN, "Symbian", TEXT_ANYWHERE) \
    X(SYMBIAN_OS, "SymbianOS", TEXT_DIGIT) \
    X(KAIOS, "KAIOS", TEXT_ANYWHERE) \
    X(KAIOS_VERSION, "KAIOS", TEXT_DIGIT) \
    X(MOBILE_RV, "(Mobile; rv:", TEXT_ANYWHERE) \
    X(TABLET_RV, "(Tablet; rv:", TEXT_ANYWHERE) \
    X(LINUX, "Linux", TEXT_ANY_CASE) \
    X(LINUX_VERSION, "Linux/", TEXT_DIGIT | TEXT_WORD) \
    X(LINUX_26, "Linux ", TEXT_DIGIT) \
    X(X11, "X11", TEXT_WORD) \
    X(MOBILE, "Mobile", TEXT_WORD) \
    X(PHONE, "Phone", TEXT_ANYWHERE) \
    X(MIDP, "MIDP", TEXT_ANYWHERE) \
    X(J2ME, "J2ME", TEXT_ANYWHERE) \
    X(WAP, "WAP", TEXT_WORD) \
    X(TABLET, "Tablet", TEXT_ANYWHERE) \
    X(TABLET_PC, "Tablet PC", TEXT_ANYWHERE) \
    X(TOUCHPAD, "TouchPad", TEXT_ANYWHERE) \
    X(KINDLE_FIRE, "KF", TEXT_WORD) \
    X(NEXUS_7, "Nexus 7", TEXT_ANYWHERE) \
    X(NEXUS_9, "Nexus 9", TEXT_ANYWHERE) \
    X(NEXUS_10, "Nexus 10", TEXT_ANYWHERE) \
    X(MI_PAD, "MI PAD", TEXT_WORD) \
    X(SMART_TV, "SmartTV", TEXT_ANYWHERE) \
    X(SMART_TV_2, "SMART-TV", TEXT_ANYWHERE) \
    X(SMART_TV_3, "Smart TV", TEXT_ANYWHERE) \
    X(HBBTV, "HbbTV", TEXT_ANYWHERE) \
    X(GOOGLE_TV, "GoogleTV", TEXT_ANYWHERE) \
    X(ANDROID_TV, "Android TV", TEXT_ANYWHERE) \
    X(CRKEY, "CrKey", TEXT_WORD) \
    X(BRAVIA, "BRAVIA", TEXT_ANYWHERE) \
    X(ROKU, "Roku", TEXT_WORD) \
    X(NETCAST, "NetCast", TEXT_ANYWHERE) \
    X(WEB0S, "Web0S", TEXT_WORD) \
    X(FIRE_TV, "AFT", TEXT_WORD) \
    X(VIERA, "VIERA", TEXT_ANYWHERE) \
    X(INETTV, "InettvBrowser", TEXT_ANYWHERE) \
    X(DTV, "DTV", TEXT_WORD)

/* Programs, feed readers and crawlers that name themselves Name/1.2; the text is the name.
 *    id, text */
#define AGENT_PROGRAMS(X) \
    X(GOOGLEBOT_MOBILE, "Googlebot-Mobile") \
    X(GOOGLEBOT_IMAGE, "Googlebot-Image") \
    X(GOOGLEBOT_VIDEO, "Googlebot-Video") \
    X(GOOGLEBOT_NEWS, "Googlebot-News") \
    X(GOOGLEBOT, "Googlebot") \
    X(BING_PREVIEW, "BingPreview") \
    X(BINGBOT, "bingbot") \
    X(MSNBOT_MEDIA, "msnbot-media") \
    X(MSNBOT, "msnbot") \
    X(BAIDU_IMAGE, "Baiduspider-image") \
    X(BAIDUSPIDER, "Baiduspider") \
    X(YANDEXBOT, "YandexBot") \
    X(YANDEX_IMAGES, "YandexImages") \
    X(YANDEX_DIRECT, "YandexDirect") \
    X(MAIL_RU_BOT, "Mail.RU_Bot") \
    X(SOGOU_SPIDER, "Sogou web spider") \
    X(MJ12BOT, "MJ12bot") \
    X(EXABOT, "Exabot") \
    X(AHREFSBOT, "AhrefsBot") \
    X(TWITTERBOT, "Twitterbot") \
    X(IA_ARCHIVER, "ia_archiver") \
    X(MAGPIE, "magpie-crawler") \
    X(PSBOT, "psbot") \
    X(VOILABOT, "VoilaBot") \
    X(SPIDER360, "360Spider") \
    X(LINKEDINBOT, "LinkedInBot") \
    X(APPLEBOT, "Applebot") \
    X(DUCKDUCKBOT, "DuckDuckBot") \
    X(SEMRUSHBOT, "SemrushBot") \
    X(GPTBOT, "GPTBot") \
    X(CLAUDEBOT, "ClaudeBot") \
    X(CCBOT, "CCBot") \
    X(FEEDBIN, "Feedbin") \
    X(SEAMONKEY, "SeaMonkey") \
    X(CAMINO, "Camino") \
    X(WATERFOX, "Waterfox") \
    X(SNAPCHAT, "Snapchat") \
    X(PUFFIN, "Puffin") \
    X(MIUI, "MiuiBrowser") \
    X(MINT_BROWSER, "Mint Browser") \
    X(WHALE, "Whale") \
    X(MIDORI, "Midori") \
    X(LYNX, "Lynx") \
    X(DILLO, "Dillo") \
    X(OMNIWEB, "OmniWeb") \
    X(EPIPHANY, "Epiphany") \
    X(ICECAT, "IceCat") \
    X(FLOCK, "Flock") \
    X(GALEON, "Galeon") \
    X(QUPZILLA, "QupZilla") \
    X(OTTER, "Otter") \
    X(FALKON, "Falkon") \
    X(SPOTIFY, "Spotify") \
    X(LIFEREA, "Liferea") \
    X(SIMPLEPIE, "SimplePie") \
    X(REEDER, "Reeder") \
    X(NEWSIFY, "Newsify") \
    X(LUMINARY, "Luminary") \
    X(THUNDERBIRD, "Thunderbird") \
    X(VIVALDI, "Vivaldi") \
    X(W3M, "w3m") \
    X(WGET, "Wget") \
    X(CURL, "curl") \
    X(LIBWWW, "libwww-perl") \
    X(PYTHON_URLLIB, "Python-urllib") \
    X(GO_HTTP, "Go-http-client") \
    X(OKHTTP, "okhttp") \
    X(APACHE_HTTP, "Apache-HttpClient") \
    X(POSTMAN, "PostmanRuntime") \
    X(MOJEEKBOT, "MojeekBot") \
    X(EASOU, "EasouSpider") \
    X(YISOU, "YisouSpider") \
    X(BEETLEBOT, "BeetleBot") \
    X(DAUMOA, "Daumoa") \
    X(LUMIBOT, "LumiBot") \
    X(GENIEO, "Genieo") \
    X(ZDM, "ZDM") \
    X(LIBFETCH, "fetch libfetch") \
    X(NUTCH, "Nutch") \
    X(APPENGINE, "AppEngine-Google")

/* A rule holds when the first text is there, the second too, and the third is not; ANY is
 * always there, NONE never.  The version follows the text of the fourth column, or is the
 * fifth.
 *    name, is there, is there, is not there, version after, version */
#define AGENT_BROWSERS(X) \
    X("favicon", GOOGLE_FAVICON, ANY, NONE, NONE, "") \
    X("GmailImageProxy", GMAIL_IMAGES, ANY, NONE, NONE, "") \
    X("Yahoo! Slurp", YAHOO_SLURP, ANY, NONE, YAHOO_SLURP, "") \
    X("archiver", ARCHIVER, ANY, NONE, ARCHIVER, "") \
    X("archive.org_bot", ARCHIVE_ORG, ANY, NONE, NONE, "") \
    X("Slurp", SLURP, ANY, NONE, NONE, "") \
    X("FacebookBot", FACEBOOK_HIT, ANY, NONE, FACEBOOK_HIT, "") \
    X("Tiny Tiny RSS", TTRSS, ANY, NONE, TTRSS, "") \
    X("Xenu Link Sleuth", XENU, ANY, NONE, XENU, "") \
    X("Facebook Messenger", FB, MESSENGER, NONE, FBAV, "") \
    X("Facebook", FB, FBAV, NONE, FBAV, "") \
    X("Facebook", FB, ANY, NONE, NONE, "") \
    X("Pinterest", PINTEREST_APP, ANY, NONE, NONE, "") \
    X("Instagram", INSTAGRAM, MOBILE, NONE, INSTAGRAM, "") \
    X("Flipboard", FLIPBOARD, MOBILE, NONE, FLIPBOARD, "") \
    X("Twitter", TWITTER_IPHONE, ANY, NONE, NONE, "") \
    X("Twitter", TWITTER_ANDROID, ANY, NONE, TWITTER_ANDROID, "") \
    X("Basilisk", BASILISK, FIREFOX, NONE, FIREFOX, "") \
    X("Pale Moon", PALEMOON, ANY, NONE, PALEMOON, "") \
    X("Firefox", FENNEC, ANY, NONE, FENNEC, "") \
    X("Firefox", FXIOS, ANY, NONE, FXIOS, "") \
    X("Firefox", NAMOROKA, ANY, NONE, NAMOROKA, "") \
    X("Firefox", SHIRETOKO, ANY, NONE, SHIRETOKO, "") \
    X("Firefox", MINEFIELD, ANY, NONE, MINEFIELD, "") \
    X("UC Browser", UC_BROWSER, ANY, NONE, UC_BROWSER, "") \
    X("UC Browser", UC_BROWSER_2, ANY, NONE, UC_BROWSER_2, "") \
    X("UC Browser", UCWEB, ANY, NONE, UCWEB, "") \
    X("Opera Tablet", OPERA_TABLET, ANY, NONE, VERSION, "") \
    X("Opera Mini", OPERA_MINI, ANY, NONE, OPERA_MINI, "") \
    X("Opera Mini", OPIOS, ANY, NONE, OPIOS, "") \
    X("Opera", OPERA_MOBI, VERSION, NONE, VERSION, "") \
    X("Opera", OPERA_MOBI, ANY, NONE, OPERA, "") \
    X("Opera", OPERA, VERSION, NONE, VERSION, "") \
    X("Opera", OPR, ANY, NONE, OPR, "") \
    X("Opera", OPT, ANY, NONE, OPT, "") \
    X("Opera Coast", COAST, ANY, NONE, COAST, "") \
    X("webOS Browser", WEBOS, ANY, NONE, WEBOS, "") \
    X("webOS Browser", HPWOS, ANY, NONE, HPWOS, "") \
    X("LuaKit", LUAKIT, ANY, NONE, NONE, "") \
    X("Rekonq", REKONQ, ANY, NONE, REKONQ, "") \
    X("Conkeror", CONKEROR, ANY, NONE, CONKEROR, "") \
    X("Konqueror", KONQUEROR, ANY, NONE, KONQUEROR, "") \
    X("Comodo Dragon", DRAGON, ANY, NONE, DRAGON, "") \
    X("NetFront NX", PS3, APPLEWEBKIT, NONE, NONE, "") \
    X("NetFront", PS3, ANY, NONE, NONE, "") \
    X("NetFront", PSP, ANY, NONE, NONE, "") \
    X("NetFront NX", VITA, ANY, NONE, NONE, "") \
    X("NetFront NX", NX, APPLEWEBKIT, NONE, NX, "") \
    X("NetFront NX", N3DS, ANY, NONE, NONE, "") \
    X("Amazon Silk", SILK, ANY, NONE, SILK, "") \
    X("Edge", EDGIOS, ANY, NONE, EDGIOS, "") \
    X("Edge", EDGA, ANY, NONE, EDGA, "") \
    X("Samsung Internet", SAMSUNG, ANY, NONE, SAMSUNG, "") \
    X("Seznam prohl\xc3\xad\xc5\xbe" "e\xc4\x8d", SEZNAM, ANY, NONE, SEZNAM, "") \
    X("Coc Coc", COC_COC, ANY, NONE, COC_COC, "") \
    X("Baidu Browser", BAIDU, ANY, NONE, BAIDU, "") \
    X("Baidu Explorer", FLYFLOW, ANY, NONE, FLYFLOW, "") \
    X("Maxthon", MXBROWSER, ANY, NONE, MXBROWSER, "") \
    X("LINE", LINE, ANY, NONE, LINE, "") \
    X("Google", GSA, ANY, NONE, GSA, "") \
    X("QQ Browser Mini", MQQ_MINI, ANY, NONE, MQQ_MINI, "") \
    X("QQ Browser Mobile", MQQ, ANY, NONE, MQQ, "") \
    X("QQ Browser", QQ, ANY, NONE, QQ, "") \
    X("DuckDuckGo Mobile", DUCKDUCKGO, MOBILE, NONE, DUCKDUCKGO, "") \
    X("Edge", EDG, ANY, NONE, EDG, "") \
    X("Edge", EDGE, ANY, NONE, EDGE, "") \
    X("Chrome Mobile WebView", CHROME, VERSION, NONE, CHROME, "") \
    X("Chrome Mobile WebView", CHROME, WV, NONE, CHROME, "") \
    X("Chrome", CRMO, ANY, NONE, CRMO, "") \
    X("Chrome", CRIOS, ANY, NONE, CRIOS, "") \
    X("Chrome Frame", CHROMEFRAME, ANY, NONE, CHROMEFRAME, "") \
    X("Sogou Explorer", METASR, ANY, NONE, METASR, "") \
    X("Yandex Browser", YABROWSER, ANY, NONE, YABROWSER, "") \
    X("Mail.ru Chromium Browser", MRCHROME, CHROME, NONE, CHROME, "") \
    X("AOL", AOL, AOLBUILD, NONE, AOL, "") \
    X("Maxthon", MAXTHON, ANY, NONE, MAXTHON, "") \
    X("Iceweasel", ICEWEASEL, ANY, NONE, ICEWEASEL, "") \
    X("Brave", BRAVE, CHROME, NONE, BRAVE, "") \
    X("Iron", IRON, CHROME, NONE, CHROME, "") \
    X("Dolphin", DOLPHIN, ANY, NONE, DOLPHIN, "") \
    X("Dolphin", DOLPHIN_2, ANY, NONE, DOLPHIN_2, "") \
    X("HeadlessChrome", HEADLESS, ANY, NONE, HEADLESS, "") \
    X("Outlook", OUTLOOK, ANY, NONE, OUTLOOK, "") \
    X("Outlook", OUTLOOK_2, ANY, NONE, OUTLOOK_2, "") \
    X("Chromium", CHROMIUM, ANY, NONE, CHROMIUM, "") \
    X("Chrome", CHROME, ANY, NONE, CHROME, "") \
    X("IE Mobile", IEMOBILE, ANY, NONE, IEMOBILE, "") \
    X("Opera", OPERA, ANY, NONE, OPERA, "") \
    X("NetFront", NETFRONT, ANY, NONE, NETFRONT, "") \
    X("Openwave", UP_BROWSER, ANY, NONE, UP_BROWSER, "") \
    X("BlackBerry WebKit", RIM_TABLET, ANY, NONE, RIM_TABLET, "") \
    X("BlackBerry WebKit", BLACKBERRY_WORD, VERSION, NONE, VERSION, "") \
    X("BlackBerry WebKit", BB10, VERSION, NONE, VERSION, "") \
    X("BlackBerry", BLACKBERRY_WORD, ANY, NONE, BLACKBERRY_WORD, "") \
    X("Nokia Browser", NOKIA_BROWSER, ANY, NONE, NOKIA_BROWSER, "") \
    X("Nokia Browser", BROWSER_NG, ANY, NONE, BROWSER_NG, "") \
    X("Nokia Browser", SERIES60_5, ANY, NONE, NONE, "") \
    X("Nokia OSS Browser", SERIES60, ANY, NONE, SERIES60, "") \
    X("Ovi Browser", OVI, ANY, NONE, OVI, "") \
    X("Obigo", OBIGO, ANY, NONE, OBIGO, "") \
    X("Android", ANDROID, ANY, FIREFOX, ANDROID, "") \
    X("Bon Echo", BONECHO, ANY, NONE, BONECHO, "") \
    X("Safari", IPHONE, VERSION, NONE, VERSION, "") \
    X("Safari", IPAD, VERSION, NONE, VERSION, "") \
    X("Safari", IPOD, VERSION, NONE, VERSION, "") \
    X("Safari", IPHONE, SAFARI_BARE, NONE, NONE, "") \
    X("Safari", IPAD, SAFARI_BARE, NONE, NONE, "") \
    X("Safari", IPOD, SAFARI_BARE, NONE, NONE, "") \
    X("Mobile Safari UI/WKWebView", IPHONE, ANY, NONE, NONE, "") \
    X("Mobile Safari UI/WKWebView", IPAD, ANY, NONE, NONE, "") \
    X("Mobile Safari UI/WKWebView", IPOD, ANY, NONE, NONE, "") \
    X("PhantomJS", PHANTOMJS, ANY, NONE, PHANTOMJS, "") \
    X("ELinks", ELINKS, ANY, NONE, ELINKS, "") \
    X("Links", LINKS, ANY, NONE, LINKS, "") \
    X("Safari", SAFARI, CFNETWORK, NONE, SAFARI, "") \
    X("Safari", MOBILE_SAFARI, CFNETWORK, NONE, MOBILE_SAFARI, "") \
    X("Safari", SAFARI, VERSION, NONE, VERSION, "") \
    X("Safari", SAFARI, ANY, NONE, NONE, "") \
    X("SEMC-Browser", SEMC, ANY, NONE, SEMC, "") \
    X("IE", TRIDENT8, ANY, NONE, NONE, "11") \
    X("IE", TRIDENT7, ANY, NONE, NONE, "11") \
    X("IE", TRIDENT6, ANY, NONE, NONE, "10") \
    X("IE", TRIDENT5, ANY, NONE, NONE, "9") \
    X("IE", TRIDENT4, ANY, NONE, NONE, "8") \
    X("Firefox", FIREFOX, ANY, NONE, FIREFOX, "") \
    X("IE", MSIE, ANY, NONE, MSIE, "") \
    X("Python Requests", PYTHON_REQUESTS, ANY, NONE, PYTHON_REQUESTS, "")

#define AGENT_SYSTEMS(X) \
    X("Windows Phone", WINDOWS_PHONE_OS, ANY, NONE, WINDOWS_PHONE_OS, "") \
    X("Windows Phone", WINDOWS_PHONE, ANY, NONE, WINDOWS_PHONE, "") \
    X("Android", ANDROID, ANY, NONE, ANDROID, "") \
    X("Android", ADR, UCWEB, NONE, ADR, "") \
    X("Android", SILK_ACCELERATED, ANY, NONE, NONE, "") \
    X("Windows Phone", XBLWP7, ANY, NONE, NONE, "") \
    X("Windows Mobile", WINDOWS_MOBILE, ANY, NONE, NONE, "") \
    X("Windows Mobile", WINDOWS_MOBILE_2, ANY, NONE, NONE, "") \
    X("Windows", WIN_10, ANY, NONE, NONE, "10") \
    X("Windows", NT_52, ANY, NONE, NONE, "XP") \
    X("Windows", NT_51, ANY, NONE, NONE, "XP") \
    X("Windows", NT_61, ANY, NONE, NONE, "7") \
    X("Windows", NT_60, ANY, NONE, NONE, "Vista") \
    X("Windows", WIN_ME, ANY, NONE, NONE, "ME") \
    X("Windows", NT_62_ARM, ANY, NONE, NONE, "RT") \
    X("Windows", NT_62, ANY, NONE, NONE, "8") \
    X("Windows", NT_63_ARM, ANY, NONE, NONE, "RT 8.1") \
    X("Windows", NT_63, ANY, NONE, NONE, "8.1") \
    X("Windows", NT_64, ANY, NONE, NONE, "10") \
    X("Windows", NT_100, ANY, NONE, NONE, "10") \
    X("Windows", NT_50, ANY, NONE, NONE, "2000") \
    X("Windows", NT_40, ANY, NONE, NONE, "NT 4.0") \
    X("Windows", WIN_CE, ANY, NONE, NONE, "CE") \
    X("Windows", WINDOWSCE, ANY, NONE, NONE, "CE") \
    X("Windows", BOX_WINDOWS, BOX, NONE, BOX_WINDOWS, "") \
    X("Windows", WINDOWS_ME, ANY, NONE, NONE, "ME") \
    X("Windows", WIN_31, ANY, NONE, NONE, "3.1") \
    X("Windows", WIN31, ANY, NONE, NONE, "3.1") \
    X("Windows", WIN16, ANY, NONE, NONE, "3.1") \
    X("Windows", WIN_NT_3, ANY, NONE, NONE, "NT") \
    X("Windows", WIN_95, ANY, NONE, NONE, "95") \
    X("Windows", WIN95, ANY, NONE, NONE, "95") \
    X("Windows", WIN_98, ANY, NONE, NONE, "98") \
    X("Windows", WIN98, ANY, NONE, NONE, "98") \
    X("Windows", WIN_NT, ANY, NONE, NONE, "NT") \
    X("Windows", WIN_NT_2, ANY, NONE, NONE, "NT") \
    X("Windows", WIN_2000, ANY, NONE, NONE, "2000") \
    X("Windows", WIN_XP, ANY, NONE, NONE, "XP") \
    X("Windows", WIN_VISTA, ANY, NONE, NONE, "Vista") \
    X("Windows", WIN_7, ANY, NONE, NONE, "7") \
    X("Windows", WIN32, ANY, NONE, NONE, "95") \
    X("Tizen", TIZEN, ANY, NONE, TIZEN, "") \
    X("macOS", MAC_OS_X, ANY, NONE, MAC_OS_X, "") \
    X("macOS", OS_X, ANY, NONE, OS_X, "") \
    X("macOS", MAC_PLUS, ANY, NONE, MAC_PLUS, "") \
    X("macOS", MACOS_X, ANY, NONE, MACOS_X, "") \
    X("macOS", MAC_MACH_O, ANY, NONE, NONE, "") \
    X("macOS", BOX_DARWIN, BOX, NONE, NONE, "10") \
    X("macOS", DARWIN9, X86_64, NONE, NONE, "10.5") \
    X("macOS", DARWIN9, I386, NONE, NONE, "10.5") \
    X("macOS", DARWIN10, X86_64, NONE, NONE, "10.6") \
    X("macOS", DARWIN10, I386, NONE, NONE, "10.6") \
    X("macOS", DARWIN11, X86_64, NONE, NONE, "10.7") \
    X("macOS", DARWIN11, I386, NONE, NONE, "10.7") \
    X("macOS", DARWIN12, X86_64, NONE, NONE, "10.8") \
    X("macOS", DARWIN13, X86_64, NONE, NONE, "10.9") \
    X("Mac OS", POWERPC, ANY, NONE, NONE, "") \
    X("macOS", INTEL_MAC, ANY, NONE, NONE, "") \
    X("macOS", PPC_MAC, ANY, NONE, NONE, "") \
    X("ATV OS X", APPLE_TV, ANY, NONE, APPLE_TV, "") \
    X("ATV OS X", APPLE_TV_2, ANY, NONE, NONE, "") \
    X("iOS", CPU_OS_PLUS, ANY, NONE, CPU_OS_PLUS, "") \
    X("iOS", CPU_IPHONE_PLUS, ANY, NONE, CPU_IPHONE_PLUS, "") \
    X("iOS", UC_IPHONE, UCWEB, NONE, UC_IPHONE, "") \
    X("iOS", UC_IPAD, UCWEB, NONE, UC_IPAD, "") \
    X("iOS", CPU_OS, ANY, NONE, CPU_OS, "") \
    X("iOS", CPU_IPHONE_OS, ANY, NONE, CPU_IPHONE_OS, "") \
    X("iOS", CPU_IPHONE, ANY, NONE, CPU_IPHONE, "") \
    X("iOS", CPU_IPAD_OS, ANY, NONE, CPU_IPAD_OS, "") \
    X("iOS", CFNETWORK_6720, ANY, NONE, NONE, "7.0") \
    X("iOS", CFNETWORK_6721, ANY, NONE, NONE, "7.1") \
    X("macOS", CFN_720, ANY, NONE, NONE, "10.10") \
    X("macOS", CFN_760, ANY, NONE, NONE, "10.11") \
    X("iOS", CFN_548_0, ANY, NONE, NONE, "5.0") \
    X("iOS", CFN_548_1, ANY, NONE, NONE, "5.1") \
    X("iOS", CFN_609_1, ANY, NONE, NONE, "6.1") \
    X("iOS", CFN_609, ANY, NONE, NONE, "6.0") \
    X("iOS", CFN_711_1, ANY, NONE, NONE, "8.1") \
    X("iOS", CFN_711_2, ANY, NONE, NONE, "8.2") \
    X("iOS", CFN_711_3, ANY, NONE, NONE, "8.3") \
    X("iOS", CFN_711_4, ANY, NONE, NONE, "8.4") \
    X("macOS", DARWIN15, X86_64, NONE, NONE, "10.11") \
    X("macOS", DARWIN16, X86_64, NONE, NONE, "10.12") \
    X("macOS", DARWIN17, X86_64, NONE, NONE, "10.13") \
    X("iOS", DARWIN_15_4, CFNETWORK, NONE, NONE, "9.3") \
    X("iOS", DARWIN_15_5, CFNETWORK, NONE, NONE, "9.3") \
    X("iOS", DARWIN_15_6, CFNETWORK, NONE, NONE, "9.3") \
    X("iOS", DARWIN_16_3, CFNETWORK, NONE, NONE, "10.2") \
    X("iOS", DARWIN_16_5, CFNETWORK, NONE, NONE, "10.3") \
    X("iOS", DARWIN_16_6, CFNETWORK, NONE, NONE, "10.3") \
    X("iOS", DARWIN_16_7, CFNETWORK, NONE, NONE, "10.3") \
    X("iOS", DARWIN_17_0, CFNETWORK, NONE, NONE, "11.0") \
    X("iOS", DARWIN_17_2, CFNETWORK, NONE, NONE, "11.1") \
    X("iOS", DARWIN_17_3, CFNETWORK, NONE, NONE, "11.2") \
    X("iOS", DARWIN_17_4, CFNETWORK, NONE, NONE, "11.2") \
    X("iOS", DARWIN_17_5, CFNETWORK, NONE, NONE, "11.3") \
    X("iOS", DARWIN_17_6, CFNETWORK, NONE, NONE, "11.4") \
    X("iOS", DARWIN_17_7, CFNETWORK, NONE, NONE, "11.4") \
    X("iOS", DARWIN_18_0, CFNETWORK, NONE, NONE, "12.0") \
    X("iOS", DARWIN_18_2, CFNETWORK, NONE, NONE, "12.1") \
    X("iOS", DARWIN_18_5, CFNETWORK, NONE, NONE, "12.2") \
    X("iOS", DARWIN_18_6, CFNETWORK, NONE, NONE, "12.3") \
    X("iOS", DARWIN_18_7, CFNETWORK, NONE, NONE, "12.4") \
    X("iOS", DARWIN_19_2, CFNETWORK, NONE, NONE, "13.3") \
    X("iOS", DARWIN_19_3, CFNETWORK, NONE, NONE, "13.3") \
    X("iOS", DARWIN_19_4, CFNETWORK, NONE, NONE, "13.4") \
    X("iOS", DARWIN_19_5, CFNETWORK, NONE, NONE, "13.5") \
    X("iOS", DARWIN_19_6, CFNETWORK, NONE, NONE, "13.6") \
    X("iOS", DARWIN_20_1, CFNETWORK, NONE, NONE, "14.2") \
    X("iOS", DARWIN_20_2, CFNETWORK, NONE, NONE, "14.3") \
    X("iOS", DARWIN_20_3, CFNETWORK, NONE, NONE, "14.4") \
    X("iOS", DARWIN_20_4, CFNETWORK, NONE, NONE, "14.5") \
    X("iOS", DARWIN_20_5, CFNETWORK, NONE, NONE, "14.6") \
    X("iOS", DARWIN_20_6, CFNETWORK, NONE, NONE, "14.8") \
    X("iOS", DARWIN_21_0, CFNETWORK, NONE, NONE, "15.0") \
    X("iOS", DARWIN_21_1, CFNETWORK, NONE, NONE, "15.1") \
    X("iOS", DARWIN_21_2, CFNETWORK, NONE, NONE, "15.2") \
    X("iOS", DARWIN_21_3, CFNETWORK, NONE, NONE, "15.3") \
    X("iOS", DARWIN_21_4, CFNETWORK, NONE, NONE, "15.4") \
    X("iOS", DARWIN_21_5, CFNETWORK, NONE, NONE, "15.5") \
    X("iOS", DARWIN_21_6, CFNETWORK, NONE, NONE, "15.6") \
    X("iOS", DARWIN9, CFNETWORK, NONE, NONE, "1") \
    X("iOS", DARWIN10, CFNETWORK, NONE, NONE, "4") \
    X("iOS", DARWIN11, CFNETWORK, NONE, NONE, "5") \
    X("iOS", DARWIN13, CFNETWORK, NONE, NONE, "6") \
    X("iOS", DARWIN14, CFNETWORK, NONE, NONE, "8.0") \
    X("iOS", DARWIN15, CFNETWORK, NONE, NONE, "9.0") \
    X("iOS", DARWIN16, CFNETWORK, NONE, NONE, "10") \
    X("iOS", DARWIN17, CFNETWORK, NONE, NONE, "11") \
    X("iOS", DARWIN18, CFNETWORK, NONE, NONE, "12") \
    X("iOS", DARWIN19, CFNETWORK, NONE, NONE, "13") \
    X("iOS", DARWIN20, CFNETWORK, NONE, NONE, "14") \
    X("iOS", DARWIN21, CFNETWORK, NONE, NONE, "15") \
    X("iOS", CFNETWORK, ANY, NONE, NONE, "") \
    X("iOS", IOS, ANY, NONE, IOS, "") \
    X("iOS", IPHONE_OPERA, ANY, NONE, NONE, "") \
    X("iOS", IOS_BARE, ANY, NONE, NONE, "") \
    X("WatchOS", WATCHOS, ANY, NONE, WATCHOS, "") \
    X("tvOS", TVOS, ANY, NONE, TVOS, "") \
    X("ChromeOS", CROS_AMD64, ANY, NONE, CROS_AMD64, "") \
    X("ChromeOS", CROS_I686, ANY, NONE, CROS_I686, "") \
    X("ChromeOS", CROS_ARM, ANY, NONE, CROS_ARM, "") \
    X("ChromeOS", CROS_ARM64, ANY, NONE, CROS_ARM64, "") \
    X("ChromeOS", CROS, ANY, NONE, NONE, "") \
    X("Debian", DEBIAN, ANY, NONE, DEBIAN, "") \
    X("Linux Mint", MINT, ANY, NONE, MINT, "") \
    X("Mandriva", MANDRIVA, ANY, NONE, NONE, "") \
    X("Symbian OS", SYMBIAN_OS, ANY, NONE, SYMBIAN_OS, "") \
    X("Symbian OS", SYMBIAN, ANY, NONE, NONE, "") \
    X("BlackBerry Tablet OS", RIM_TABLET, ANY, NONE, RIM_TABLET, "") \
    X("BlackBerry OS", BLACKBERRY_WORD, VERSION, NONE, VERSION, "") \
    X("BlackBerry OS", BB10, VERSION, NONE, VERSION, "") \
    X("BlackBerry OS", BLACKBERRY_WORD, ANY, NONE, NONE, "") \
    X("webOS", WEBOS, ANY, NONE, WEBOS, "") \
    X("webOS", HPWOS, ANY, NONE, HPWOS, "") \
    X("KaiOS", KAIOS_VERSION, ANY, NONE, KAIOS_VERSION, "") \
    X("Firefox OS", MOBILE_RV, FIREFOX, NONE, NONE, "") \
    X("Firefox OS", TABLET_RV, FIREFOX, NONE, NONE, "") \
    X("Windows", WINDOWS, ANY, NONE, NONE, "") \
    X("Android", ANDROID_BARE, ANY, NONE, NONE, "") \
    X("Web0S", WEB0S, ANY, NONE, NONE, "") \
    X("Ubuntu", UBUNTU, ANY, NONE, UBUNTU, "") \
    X("CentOS", CENTOS, ANY, NONE, NONE, "") \
    X("Slackware", SLACKWARE, ANY, NONE, SLACKWARE, "") \
    X("Gentoo", GENTOO, ANY, NONE, NONE, "") \
    X("SUSE", SUSE, ANY, NONE, NONE, "") \
    X("Red Hat", RED_HAT, ANY, NONE, NONE, "") \
    X("Fedora", FEDORA, ANY, NONE, FEDORA, "") \
    X("FreeBSD", FREEBSD, ANY, NONE, FREEBSD, "") \
    X("OpenBSD", OPENBSD, ANY, NONE, OPENBSD, "") \
    X("NetBSD", NETBSD, ANY, NONE, NETBSD, "") \
    X("Linux", LINUX_26, ANY, NONE, LINUX_26, "") \
    X("Linux", LINUX_VERSION, ANY, NONE, LINUX_VERSION, "") \
    X("Linux", LINUX, ANY, NONE, NONE, "") \
    X("Solaris", SUNOS, ANY, NONE, NONE, "")

/* The device; the same columns without a version. */
#define AGENT_DEVICE_RULES(X) \
    X(TV, SMART_TV, ANY, NONE) \
    X(TV, SMART_TV_2, ANY, NONE) \
    X(TV, SMART_TV_3, ANY, NONE) \
    X(TV, HBBTV, ANY, NONE) \
    X(TV, GOOGLE_TV, ANY, NONE) \
    X(TV, ANDROID_TV, ANY, NONE) \
    X(TV, APPLE_TV, ANY, NONE) \
    X(TV, APPLE_TV_2, ANY, NONE) \
    X(TV, TVOS, ANY, NONE) \
    X(TV, CRKEY, ANY, NONE) \
    X(TV, BRAVIA, ANY, NONE) \
    X(TV, ROKU, ANY, NONE) \
    X(TV, NETCAST, ANY, NONE) \
    X(TV, WEB0S, ANY, NONE) \
    X(TV, FIRE_TV, ANDROID_BARE, NONE) \
    X(TV, VIERA, ANY, NONE) \
    X(TV, INETTV, ANY, NONE) \
    X(TV, DTV, ANY, NONE) \
    X(OTHER, XBOX, ANY, NONE) \
    X(OTHER, PLAYSTATION, ANY, NONE) \
    X(OTHER, NINTENDO, ANY, NONE) \
    X(OTHER, WATCHOS, ANY, NONE) \
    X(TABLET, IPAD, ANY, IPHONE) \
    X(TABLET, KINDLE, ANY, NONE) \
    X(TABLET, KINDLE_FIRE, SILK, NONE) \
    X(TABLET, KINDLE_FIRE, ANDROID_BARE, NONE) \
    X(TABLET, SILK, ANY, MOBILE) \
    X(TABLET, TABLET, ANY, TABLET_PC) \
    X(TABLET, PLAYBOOK, ANY, NONE) \
    X(TABLET, TOUCHPAD, ANY, NONE) \
    X(TABLET, NEXUS_7, ANY, NONE) \
    X(TABLET, NEXUS_9, ANY, NONE) \
    X(TABLET, NEXUS_10, ANY, NONE) \
    X(TABLET, MI_PAD, ANY, NONE) \
    X(MOBILE, IPHONE, ANY, NONE) \
    X(MOBILE, IPOD, ANY, NONE) \
    X(MOBILE, ANDROID_BARE, MOBILE, NONE) \
    X(MOBILE, ANDROID_BARE, OPERA_MINI, NONE) \
    X(MOBILE, ANDROID_BARE, OPERA_MOBI, NONE) \
    X(TABLET, ANDROID_BARE, MOZILLA, NONE) \
    X(MOBILE, ANDROID_BARE, ANY, NONE) \
    X(MOBILE, MOBILE, ANY, NONE) \
    X(MOBILE, PHONE, ANY, NONE) \
    X(MOBILE, BLACKBERRY_WORD, ANY, NONE) \
    X(MOBILE, BB10, ANY, NONE) \
    X(MOBILE, SYMBIAN, ANY, NONE) \
    X(MOBILE, SERIES60, ANY, NONE) \
    X(MOBILE, KAIOS, ANY, NONE) \
    X(MOBILE, OPERA_MINI, ANY, NONE) \
    X(MOBILE, OPERA_MOBI, ANY, NONE) \
    X(MOBILE, IEMOBILE, ANY, NONE) \
    X(MOBILE, WIN_CE, ANY, NONE) \
    X(MOBILE, WEBOS, ANY, NONE) \
    X(MOBILE, NOKIA, ANY, NONE) \
    X(MOBILE, MIDP, ANY, NONE) \
    X(MOBILE, J2ME, ANY, NONE) \
    X(MOBILE, UP_BROWSER, ANY, NONE) \
    X(MOBILE, OPENWAVE, ANY, NONE) \
    X(MOBILE, SEMC, ANY, NONE) \
    X(MOBILE, WAP, ANY, NONE) \
    X(DESKTOP, WINDOWS, ANY, NONE) \
    X(DESKTOP, WIN98, ANY, NONE) \
    X(DESKTOP, WIN95, ANY, NONE) \
    X(DESKTOP, WIN_NT_2, ANY, NONE) \
    X(DESKTOP, MACINTOSH, ANY, NONE) \
    X(DESKTOP, MAC_OS_X, ANY, NONE) \
    X(DESKTOP, X86_64, CFNETWORK, NONE) \
    X(MOBILE, CFNETWORK, ANY, NONE) \
    X(DESKTOP, CROS, ANY, NONE) \
    X(DESKTOP, X11, ANY, NONE) \
    X(DESKTOP, LINUX, ANY, NONE) \
    X(DESKTOP, FREEBSD, ANY, NONE) \
    X(DESKTOP, OPENBSD, ANY, NONE)

/* clang-format on */

#endif
