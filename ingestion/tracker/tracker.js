/* tracker.js -- what a page loads as /t.js: it sends page views, events and engagements to
 * /collect beside it.  docs/tracker.md says how it is used.
 *
 * It is built by esbuild (ingestion/CMakeLists.txt) and must stay under 2,048 bytes
 * compressed, so it has no options besides those of the contract.  It never prevents, delays
 * or throws anything on the page, and writes nothing into the browser but the opt-out flag.
 *
 * A page is counted when somebody sees it: one that is prerendered or opened in the
 * background waits until it is shown, and so does every event of it. */
(() => {
    const script = document.currentScript || document.querySelector("script[data-site]");
    const settings = script?.dataset;
    const stub = window.track;

    if (!settings?.site || stub?.runs)
        return; /* loaded a second time, which is one too many */

    const isOn = (value) => value != null && value != "false";
    /* Whether a text is one of a list; * stands for any run of characters. */
    const oneOf = (value) => {
        const pattern = new RegExp("^(" + (value || "").replace(/\s/g, "")
            .replace(/[^\w*,]/g, "\\$&").replace(/\*/g, ".*").replace(/,/g, "|") + ")$");
        return (text) => pattern.test(text);
    };

    /* Beside the script by default, so that a path of the site's own needs no setting. */
    const target = new URL(settings.api || "collect", script.src || location);
    const isExcluded = oneOf(settings.exclude);
    const isKept = oneOf(settings.query);
    const isDownload = oneOf(settings.downloads?.replace("true", "") ||
        "7z,apk,csv,deb,dmg,doc*,epub,exe,gz,iso,mov,mp3,mp4,msi,odt,pdf,ppt*,rar,rpm,wav,xls*,zip");
    const isAuto = settings.auto != "false";
    const flag = "track.off";

    let isOff = (settings.domains && !oneOf(settings.domains)(location.hostname)) ||
        (!isOn(settings.local) && oneOf(",localhost,*.localhost,127.*,[::1]")(location.hostname)) ||
        (isOn(settings.respectDnt) && navigator.doNotTrack == 1);

    try {
        isOff = isOff || localStorage[flag];
    } catch {
        /* Storage is shut, so nobody has opted out through it. */
    }

    /* --- sending ---------------------------------------------------------------------- */

    const unsent = []; /* events that wait for the network; in memory only */

    const keep = (event) => unsent.length < 50 && unsent.push(event);

    /* Whatever is tried, the event is the same one with the same event_id, so it is stored
     * once even where an attempt had reached the server after all. */
    const send = (event) => {
        let body;
        try {
            body = JSON.stringify(event);
        } catch {
            return; /* props that go round in circles */
        }
        const fallBack = () => {
            if (!navigator.onLine)
                keep(event);
            else if (!navigator.sendBeacon?.(target, body))
                new Image().src = new URL("pixel.gif?" + new URLSearchParams({
                    ...JSON.parse(body),
                    ...event.props && {props: JSON.stringify(event.props)}}), target);
        };

        /* A browser that ignores `keepalive` loses what is sent while a page ends.  A string
         * goes as text/plain, which needs no preflight. */
        if ("keepalive" in Request.prototype)
            fetch(target, {method: "POST", body, keepalive: true, credentials: "omit"}).then(
                (answer) => answer.status > 499 && keep(event), fallBack);
        else
            fallBack();
    };

    const resend = () => unsent.splice(0).forEach(send);

    const hex = () => ((1 + Math.random()) * 2 ** 48).toString(16).slice(1, 13);

    /* A UUID of version 7: the time in front is what an index likes. */
    const makeId = (ms) => (ms.toString(16).padStart(12, 0) + hex() + hex())
        .replace(/(.{8})(....)(...)(...)(.{12}).*/, "$1-$2-7$3-a$4-$5");

    /* --- the page --------------------------------------------------------------------- */

    let user;
    let view;                 /* what engagements belong to; none yet */
    let waiting = [];         /* what is done once the page is shown; null: it was */
    let isVisible, since;     /* the stretch that runs */
    let spent = 0, depth = 0; /* milliseconds, and per cent of the page's height */

    const whenShown = (action) => waiting ? waiting.push(action) : action();

    /* `name` tells this page from the others.  The server takes the path out of the URL,
     * unless more than that tells pages apart. */
    const here = () => {
        const hash = isOn(settings.hash) ? location.hash : "";
        const query = location.search.slice(1).split("&").filter((pair) =>
            isKept(pair.split("=")[0])).join("&");
        const name = location.pathname + (query && "?" + query) + hash;

        return {
            name,
            isOut: isExcluded(location.pathname + hash),
            fields: {url: location.href.slice(0, 4096),
                     path: query || hash ? name : undefined},
        };
    };

    const emit = (type, fields, page) => {
        const now = Date.now();

        if (isOff || page.isOut)
            return;
        resend();
        send({site_id: settings.site, event_type: type, ...page.fields,
              screen_width: screen.width, user_id: user, event_id: makeId(now),
              timestamp: new Date(now).toISOString(), ...fields});
    };

    /* --- engagement ------------------------------------------------------------------- */

    const measure = () => {
        const now = performance.now();

        if (isVisible)
            spent += now - since;
        since = now;
        isVisible = document.visibilityState == "visible";
        depth = Math.max(depth, Math.min(100,
            (scrollY + innerHeight) / document.documentElement.scrollHeight * 100 | 0));
    };

    /* Says what came since the last time; under a second it waits for more. */
    const engage = () => {
        measure();
        if (!view || spent < 1000)
            return;
        emit("engagement", {duration_ms: Math.min(Math.round(spent), 864e5), scroll: depth}, view);
        spent = 0;
    };

    /* --- views and events ------------------------------------------------------------- */

    const see = (isForced) => whenShown(() => {
        const page = here();
        const from = !view && document.referrer;

        if (isForced !== true && view?.name == page.name)
            return;
        engage();
        view = page;
        spent = depth = 0;
        emit("page_view", {referrer: from && new URL(from).host != location.host ? from : undefined},
            page);
    });

    const track = (type, props) => {
        type && whenShown(() => emit(type + "", {props}, here()));
    };

    /* One listener for all; it sees what happened before the page's own handlers do, so none
     * of them can hide it. */
    const onAct = (event) => {
        const path = event.composedPath().filter((node) => node.localName);
        const marked = path.find((node) => node.hasAttribute("data-track") &&
            (node.localName == "form") == (event.type == "submit"));
        const link = event.type != "submit" && path.find((node) => node.localName == "a");
        const props = {};

        if (event.type == "auxclick" && event.button != 1)
            return; /* not the middle button, which opens links */
        if (marked) {
            for (const {name, value} of marked.attributes)
                if (/^data-track-/.test(name))
                    props[name.slice(11)] = [...value].slice(0, 500).join("");
            track(marked.getAttribute("data-track"), props);
        }
        try {
            /* Inside an SVG the property is an object. */
            const url = new URL(link.href.baseVal ?? link.href, document.baseURI);
            const props = {url: url.href.slice(0, 500)};
            if (isOn(settings.downloads) && isDownload(url.pathname.split(".").pop().toLowerCase()))
                track("download", props);
            else if (isOn(settings.outbound) && /^http/.test(url) && url.host != location.host)
                track("outbound", props);
        } catch {
            /* There is no link, or it leads nowhere. */
        }
    };

    /* --- the beginning ---------------------------------------------------------------- */

    const onShown = () => {
        measure();
        if (!isVisible) {
            engage();
        } else if (waiting) {
            const actions = waiting;
            waiting = null;
            actions.forEach((action) => action());
        }
    };

    const methods = {
        page: () => see(true),
        identify: (id) => { user = id || undefined; },
        off: (isWanted) => {
            isOff = isWanted !== false;
            try {
                isOff ? localStorage[flag] = 1 : delete localStorage[flag];
            } catch {
                /* Then it holds for this page. */
            }
        },
    };
    const replay = (isEarly) => stub?.q?.forEach(([name, values]) =>
        /^(identify|off)$/.test(name) == isEarly && (methods[name] || track)(...values));
    const on = (target, names, action) => names.split(" ").forEach((name) =>
        target.addEventListener(name, action, true));

    window.track = Object.assign(track, methods, {runs: 1});
    replay(true); /* who he is comes before what he sees */
    if (isAuto) {
        const push = history.pushState;
        history.pushState = function () {
            push.apply(this, arguments);
            see();
        };
        on(window, "popstate hashchange", see);
        see();
    }
    replay(false);
    on(window, "pageshow", (event) => {
        measure();
        event.persisted && isAuto && see(true);
    });
    on(window, "pagehide", () => {
        engage();
        isVisible = false; /* the time in the back/forward cache is nobody's */
    });
    on(window, "scroll", measure);
    on(window, "online", resend);
    on(document, "click auxclick submit", onAct);
    on(document, "visibilitychange prerenderingchange", onShown);
    onShown();
})();
