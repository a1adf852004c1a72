/* agent_texts.h -- the texts of User-Agent headers that agent.c looks for.
 *
 * Programs that name themselves once, as Name/1.2, are rows of AGENT_PROGRAMS: text and name
 * in one.  All else is a text in AGENT_TEXTS, and rules of agent_rules.h go by which texts are
 * there.
 */
#ifndef INGESTION_ENRICH_TABLES_AGENT_TEXTS_H
#define INGESTION_ENRICH_TABLES_AGENT_TEXTS_H

/* A text counts only where ... (flags, added up) */
enum agent_text_flag {
    TEXT_ANYWHERE = 0,
    TEXT_WORD = 1,     /* no letter or digit stands before it */
    TEXT_DIGIT = 2,    /* a digit follows, after a separator and a "v" or directly */
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
    X(BOX_DARWIN, ";Darwin/", TEXT_DIGIT) \
    X(MACOS_X_2, "MacOS X", TEXT_DIGIT) \
    X(ASPIEGEL, "AspiegelBot", TEXT_ANYWHERE) \
    X(CAIXA, "Caixa Magica", TEXT_ANYWHERE) \
    X(JUC, "JUC (Linux; U;", TEXT_DIGIT) \
    X(JUC_2, "JUC(Linux;U;", TEXT_DIGIT) \
    X(ANDROID_MOBILE, "android mobile/", TEXT_DIGIT) \
    X(OUTLOOK_IOS, "Outlook-iOS-Android", TEXT_ANYWHERE) \
    X(OUTLOOK_IOS_2, "Outlook-iOS/", TEXT_ANYWHERE) \
    X(IPHONE_TITANIUM, "(iPhone/", TEXT_DIGIT) \
    X(IPHONE_SERVER_BAG, "[iPhone OS,", TEXT_DIGIT) \
    X(CFN_485_13, "CFNetwork/485.13", TEXT_ANYWHERE) \
    X(DARWIN_16_0, "Darwin/16.0.", TEXT_ANYWHERE) \
    X(DARWIN_16_1, "Darwin/16.1.", TEXT_ANYWHERE) \
    X(WDS, "; wds", TEXT_DIGIT) \
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
    X(IPAD_FIRST, "(iPad", TEXT_ANYWHERE) \
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

/* clang-format on */

#endif
