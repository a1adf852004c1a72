/* agent_rules.h -- what the texts of agent_texts.h mean.
 *
 * Rules stand in the order in which they are asked; a browser that contains the names of
 * others stands before them.
 */
#ifndef INGESTION_ENRICH_TABLES_AGENT_RULES_H
#define INGESTION_ENRICH_TABLES_AGENT_RULES_H

/* clang-format off */

/* A rule holds when the first text is there, the second too, and the third is not; ANY is
 * always there, NONE never.  A name that is NULL is none.  The version follows the text of the
 * fourth column, or is the fifth.
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
    X(NULL, ASPIEGEL, ANY, NONE, NONE, "") \
    X("Windows Phone", WDS, ANY, NONE, WDS, "") \
    X("Android", ANDROID, ANY, OUTLOOK_IOS, ANDROID, "") \
    X("Android", JUC, ANY, NONE, JUC, "") \
    X("Android", JUC_2, ANY, NONE, JUC_2, "") \
    X("Android", ANDROID_MOBILE, ANY, NONE, ANDROID_MOBILE, "") \
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
    X("macOS", MACOS_X_2, ANY, NONE, MACOS_X_2, "") \
    X("macOS", MAC_OS_X, ANY, NONE, MAC_OS_X, "") \
    X("macOS", OS_X, ANY, NONE, OS_X, "") \
    X("macOS", MAC_PLUS, ANY, NONE, MAC_PLUS, "") \
    X("macOS", MACOS_X, ANY, NONE, MACOS_X, "") \
    X("macOS", MAC_MACH_O, ANY, NONE, NONE, "") \
    X("macOS", BOX_DARWIN, BOX, NONE, BOX_DARWIN, "") \
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
    X("iOS", CFN_485_13, ANY, NONE, NONE, "4.3") \
    X("iOS", DARWIN_16_0, CFNETWORK, NONE, NONE, "10.0") \
    X("iOS", DARWIN_16_1, CFNETWORK, NONE, NONE, "10.1") \
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
    X("iOS", OUTLOOK_IOS_2, ANY, NONE, NONE, "") \
    X("iOS", IPHONE_TITANIUM, ANY, NONE, IPHONE_TITANIUM, "") \
    X("iOS", IPHONE_SERVER_BAG, ANY, NONE, IPHONE_SERVER_BAG, "") \
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
    X("Linux", CAIXA, ANY, NONE, NONE, "") \
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
    X(TABLET, IPAD_FIRST, ANY, NONE) \
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
