// The seller's page: asks for the state once a second, and redraws what has changed.

const PAUSE = 1000;
const TONES = {
  delivering: "moving", picking: "moving", delivered: "done", codpaid: "done", codreceipt: "done",
  notmeetcustomer: "trouble", waitingforreturn: "trouble", codnotreceipt: "trouble",
  return: "over", cancel: "over",
};
const money = new Intl.NumberFormat("vi-VN", { style: "currency", currency: "VND" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const byId = (id) => document.getElementById(id);

const drawn = new Map(); // what each card was drawn from
let shop = new URLSearchParams(location.search).get("shop") ?? "";
let shipping = null; // the order that the dialog is about

// Build an element: properties, then children; text is text, never markup.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function tell(text, isBad = false) {
  byId("message").textContent = text;
  byId("message").classList.toggle("bad", isBad);
}

async function ask(path, wish) {
  const options = wish && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ shop, ...wish }),
  };
  const reply = await fetch(`/seller/${path}`, options);
  const body = await reply.json();
  if (!reply.ok) throw new Error(body.errors);
  return body;
}

// Do what a button says, with the button off meanwhile, and say how it went.
async function act(button, deed) {
  button.disabled = true;
  tell("…");
  try {
    tell(await deed());
  } catch (error) {
    tell(error.message, true);
  } finally {
    button.disabled = false;
    await look();
  }
}

function button(text, properties, deed) {
  const made = make("button", { type: "button", ...properties }, text);
  made.addEventListener("click", () => deed(made));
  return made;
}

function status({ code, english, vietnamese }) {
  const label = make("small", { lang: "vi" }, vietnamese);
  return make("span", { className: `status ${TONES[code] ?? ""}` }, `${english} `, label);
}

function moment(text) {
  return make("time", { dateTime: text, title: day.format(new Date(text)) }, clock.format(new Date(text)));
}

function parcelCard(order, parcel) {
  const ids = { order_id: order.id, fulfillment_id: parcel.id };
  const number = parcel.tracking_number ?? "no tracking number";
  const shown = parcel.tracking_url
    ? make("a", { href: parcel.tracking_url, rel: "noreferrer" }, number)
    : number;
  const cancel = button("Cancel parcel", { className: "grave" }, (self) => act(self, async () => {
    await ask("cancel", ids);
    return `${number}: the carrier agreed, the parcel is cancelled.`;
  }));
  const retry = button("Hand over again", {}, (self) => act(self, async () => {
    const { tracking_number: taken } = await ask("retry", ids);
    return `The carrier took the parcel as ${taken}.`;
  }));
  const deeds = make("span", { className: "deeds" },
    parcel.may_retry ? retry : null, parcel.may_cancel ? cancel : null);
  const road = parcel.road.map((step) => make("li", {}, `${step.english} `, moment(step.at)));
  const cash = parcel.cod_amount ? `${money.format(parcel.cod_amount)} to collect` : null;
  return make("div", { className: "parcel", id: `parcel-${parcel.id}` },
    make("div", { className: "parcel-head" },
      make("span", { className: "number" }, shown), `by ${parcel.carrier}`, deeds),
    make("div", { className: "parcel-head" }, status(parcel.delivery), status(parcel.cod), cash),
    make("ol", { className: "road", ariaLabel: "The road so far" }, ...road));
}

function orderCard(order) {
  const ship = button("Ship", { className: "main" }, () => openShipping(order));
  const cancel = button("Cancel order", {}, (self) => act(self, async () => {
    await ask("cancel-order", { order_id: order.id });
    return `Order ${order.name} is cancelled.`;
  }));
  const head = make("div", { className: "order-head" },
    make("h3", {}, `${order.name} ${order.title}`),
    make("span", { className: "order-facts" }, `${money.format(order.total)} · ${order.recipient} · `, moment(order.at)),
    order.is_cancelled ? status({ code: "cancel", english: "Order cancelled", vietnamese: "Đã hủy đơn" }) : null,
    make("span", { className: "deeds" }, order.may_ship ? ship : null, order.is_cancelled ? null : cancel));
  return make("li", { className: "order", id: `order-${order.id}` }, head,
    ...order.parcels.map((parcel) => parcelCard(order, parcel)));
}

function callCard(call) {
  const word = call.is_good || call.status >= 300 ? call.status : "declined";
  const outcome = call.problem ?? `${word} in ${call.seconds.toFixed(2)} s`;
  return make("li", { className: `call ${call.is_good ? "" : "bad"}` }, make("details", {},
    make("summary", {}, moment(call.at), make("strong", {}, call.kind),
      make("span", { className: "outcome" }, outcome)),
    make("pre", {}, `${call.method} ${call.path}\n${pretty(call.body)}`),
    make("pre", {}, pretty(call.answer) || "(no answer)")));
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// Bring a list of cards up to date; a card is drawn anew only if its own data have changed, so that
// open details stay open and the focus stays where it is.
function drawList(list, items, keyOf, card) {
  const kept = new Set(items.map(keyOf));
  for (const old of [...list.children]) if (!kept.has(old.dataset.key)) old.remove();
  items.forEach((item, place) => {
    const key = keyOf(item);
    const text = JSON.stringify(item);
    let element = [...list.children].find((child) => child.dataset.key === key);
    if (!element || drawn.get(key) !== text) {
      const fresh = card(item);
      fresh.dataset.key = key;
      const focused = element?.contains(document.activeElement) ? document.activeElement : null;
      element?.replaceWith(fresh);
      if (focused) sameButton(fresh, focused)?.focus();
      element = fresh;
      drawn.set(key, text);
    }
    if (list.children[place] !== element) list.insertBefore(element, list.children[place] ?? null);
  });
}

function sameButton(card, focused) {
  return [...card.querySelectorAll("button, a")].find((each) => each.textContent === focused.textContent);
}

function drawShop(state) {
  const codes = byId("shop-code");
  if ([...codes.options].map((option) => option.value).join() !== state.shops.join()) {
    codes.replaceChildren(...state.shops.map((code) => make("option", { value: code }, code)));
  }
  codes.value = shop;
  const facts = {
    App: state.shop.is_installed ? "installed" : "not installed",
    Carriers: state.shop.carriers.join(", ") || "none registered",
    Webhooks: state.shop.has_webhooks ? "on" : "off",
  };
  byId("shop-facts").replaceChildren(...Object.entries(facts).map(
    ([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
  byId("uninstall").hidden = !state.shop.is_installed;
  byId("install").hidden = state.shop.is_installed || !state.shop.install_url;
  byId("install").href = state.shop.install_url ?? "";
}

function draw(state) {
  shop = state.shop.code;
  drawShop(state);
  drawList(byId("order-list"), state.orders, (order) => `order-${order.id}`, orderCard);
  drawList(byId("call-list"), state.calls, (call) => `call-${call.number}`, callCard);
  byId("no-orders").hidden = state.orders.length > 0;
  byId("no-calls").hidden = state.calls.length > 0;
}

async function look() {
  try {
    const state = await ask(`state?shop=${encodeURIComponent(shop)}`);
    if (state.shop) draw(state);
    else tell("This sandbox has no shop.", true);
  } catch {
    tell("The sandbox does not answer.", true);
  }
}

function openShipping(order) {
  shipping = order;
  byId("shipping-title").textContent = `Ship ${order.name}`;
  byId("cod").value = order.total;
  byId("note").value = "";
  byId("shipping-problem").textContent = "";
  byId("shipping").showModal();
  askRates();
}

async function askRates() {
  byId("ship").disabled = true;
  byId("shipping-problem").textContent = "";
  byId("rates").replaceChildren("Asking the carriers…");
  try {
    const wish = { order_id: shipping.id, cod_amount: Number(byId("cod").value) };
    const { offers, problems } = await ask("rates", wish);
    byId("rates").replaceChildren(...offers.map(rate));
    byId("ship").disabled = offers.length === 0;
    if (offers.length === 0) byId("rates").replaceChildren("No carrier offers a rate.");
    byId("shipping-problem").textContent = problems.join(" ");
  } catch (error) {
    byId("rates").replaceChildren();
    byId("shipping-problem").textContent = error.message;
  }
}

function rate(offer, place) {
  const choice = make("input", {
    type: "radio", name: "rate", value: `${offer.carrier} ${offer.service_id}`, checked: place === 0,
  });
  return make("label", { className: "rate" }, choice,
    `${offer.carrier_name}: ${offer.service_name}`,
    make("span", { className: "price" }, money.format(offer.total_price)));
}

async function ship() {
  const [carrier, service] = document.querySelector("input[name=rate]:checked").value.split(" ");
  const wish = {
    order_id: shipping.id,
    carrier: Number(carrier),
    service_id: Number(service),
    cod_amount: Number(byId("cod").value),
    note: byId("note").value,
  };
  byId("ship").disabled = true;
  try {
    const { tracking_number: number } = await ask("ship", wish);
    byId("shipping").close();
    tell(`The carrier took the parcel as ${number}.`);
  } catch (error) {
    byId("shipping-problem").textContent = error.message;
  } finally {
    byId("ship").disabled = false;
    await look();
  }
}

byId("new-order").addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter ?? event.target.querySelector("button"), async () => {
    await ask("orders", { total: Number(byId("total").value) });
    return "The order is there. Ship it.";
  });
});
byId("shipping-form").addEventListener("submit", (event) => {
  event.preventDefault();
  ship();
});
byId("ask-rates").addEventListener("click", askRates);
byId("cod").addEventListener("change", askRates);
byId("not-now").addEventListener("click", () => byId("shipping").close());
byId("shop-code").addEventListener("change", (event) => {
  shop = event.target.value;
  look();
});
byId("uninstall").addEventListener("click", (event) => {
  if (!confirm("Uninstall the app? The carrier loses its access to this shop.")) return;
  act(event.target, async () => {
    await ask("uninstall", {});
    return "The app is uninstalled, and the carrier has been told.";
  });
});

while (true) {
  await look();
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
}
