import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import type * as Resource from "@effect/opentelemetry/Resource"
import { PeriodicExportingMetricReader, type PushMetricExporter } from "@opentelemetry/sdk-metrics"
import { BatchSpanProcessor, type SpanExporter } from "@opentelemetry/sdk-trace-base"
import type * as Layer from "effect/Layer"

/** Spans and metrics, by exporters of OpenTelemetry's own SDK. */
export const layer = (traces: SpanExporter, metrics: PushMetricExporter): Layer.Layer<Resource.Resource> =>
  NodeSdk.layer(() => ({
    resource: { serviceName: "my-bot" },
    spanProcessor: new BatchSpanProcessor(traces),
    metricReader: new PeriodicExportingMetricReader({ exporter: metrics })
  }))
