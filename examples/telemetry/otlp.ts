import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
import * as Otlp from "@effect/opentelemetry/Otlp"
import * as Layer from "effect/Layer"

/** Spans, metrics and logs, to whatever speaks OTLP over HTTP: a collector, Jaeger, Grafana, Honeycomb. */
const TelemetryLayer = Otlp.layerJson({
  baseUrl: "http://localhost:4318",
  resource: { serviceName: "my-bot" }
})

/** Below the session, so that its logout is seen, too. */
export const ObservedLayer = IgClient.layerSignedIn(Session.login).pipe(
  Layer.provideMerge(IgClient.layerEnv),
  Layer.provideMerge(TelemetryLayer)
)
