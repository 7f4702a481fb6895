-- What customers of each channel account experienced in the week, in the customer's view.
{{ channel_mart('week') }}
